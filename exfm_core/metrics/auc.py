"""Exact area under the ROC curve, with ties at half. Torch-free."""

import numpy as np
import numpy.typing as npt

_PART = 1 << 18


def exact_auc(scores: npt.ArrayLike, labels: npt.ArrayLike) -> float | None:
    """P(score of a positive > score of a negative) + ½·P(equal): the statistic of Mann and Whitney (1947).

    `scores` [N] finite, `labels` [N] 0 or 1. None where only one class occurs. O(N log N); memory: one copy of the
    scores and a part.
    """
    z, positive = np.asarray(scores), np.asarray(labels) > 0.5
    positives = int(positive.sum())
    negatives = len(z) - positives
    if not positives or not negatives:
        return None
    above, below = np.sort(z[positive]), np.sort(z[~positive])
    twice = 0  # every win counts two, every tie one
    for first in range(0, positives, _PART):
        part = above[first : first + _PART]
        twice += int(np.searchsorted(below, part, "left").sum()) + int(np.searchsorted(below, part, "right").sum())
    return twice / 2.0 / (float(positives) * negatives)
