"""Regret against a known true probability: what only synthetic data can show. Torch-free."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from exfm_core.metrics.histogram import Figure
from exfm_core.metrics.sums import log_losses


def regret(logits: npt.ArrayLike, true_probabilities: npt.ArrayLike) -> Figure:
    """Mean of h(z, p) − H(p) in nats: the expected log loss above that of a predictor who knows p; 0 is perfect.

    It is the mean Kullback-Leibler divergence of the prediction from the truth, free of the noise of drawn labels.
    Both [rows]: ``logits`` finite, ``true_probabilities`` in [0, 1].
    """
    p = np.asarray(true_probabilities, np.float64)
    if not len(p):
        return Figure(None, "no rows")
    inner = p[(p > 0) & (p < 1)]
    entropy = -float((inner * np.log(inner) + (1 - inner) * np.log1p(-inner)).sum())
    return Figure(max(0.0, (float(log_losses(logits, p).sum()) - entropy) / len(p)))
