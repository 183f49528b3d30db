"""The logit histogram's AUC against counting all pairs, inside its own error bound."""

import numpy as np
import pytest

from exfm_core.errors import DataError
from exfm_core.metrics.sums import LogitHistogram


def exact_auc(logits: np.ndarray, labels: np.ndarray) -> float:
    pos, neg = logits[labels == 1], logits[labels == 0]
    wins = (pos[:, None] > neg[None, :]).sum() + 0.5 * (pos[:, None] == neg[None, :]).sum()
    return float(wins / (len(pos) * len(neg)))


@pytest.mark.parametrize("step", [0.0, 0.05])
def test_auc_lies_within_its_bound(step: float) -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 3000)
    logits = rng.normal(size=3000) + labels
    if step:
        logits = np.round(logits / step) * step
    estimate = LogitHistogram.of(logits, labels).auc()
    assert estimate.value is not None and estimate.error is not None
    assert abs(estimate.value - exact_auc(logits, labels)) <= estimate.error + 1e-12
    if not step:
        assert estimate.error < 5e-4


def test_constant_score_is_half_whatever_the_order() -> None:
    assert LogitHistogram.of(np.zeros(10), [1] * 5 + [0] * 5).auc().value == 0.5


def test_histograms_add_up_and_survive_packing() -> None:
    rng = np.random.default_rng(2)
    logits, labels = rng.normal(size=1000) * 10, rng.integers(0, 2, 1000)
    whole = LogitHistogram.of(logits, labels)
    halves = LogitHistogram.of(logits[:500], labels[:500]) + LogitHistogram.of(logits[500:], labels[500:])
    again = LogitHistogram.decode(halves.encode())
    assert (again.negatives == whole.negatives).all() and (again.positives == whole.positives).all()
    assert again.negatives.sum() + again.positives.sum() == 1000


def test_one_class_has_no_auc() -> None:
    assert LogitHistogram.of([0.0], [1]).auc().reason == "only one class"
    assert LogitHistogram.zeros().auc().reason == "no rows"


@pytest.mark.parametrize("text", ["", "!!", "eJwDAAAAAAE=", LogitHistogram.zeros().encode()[:-8]])
def test_damaged_text_is_refused(text: str) -> None:
    with pytest.raises(DataError) as caught:
        LogitHistogram.decode(text)
    assert caught.value.code == "histogram.malformed"
