"""Exact AUC against brute force, ties at half."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exfm_core.metrics.auc import exact_auc


def brute(scores: np.ndarray, labels: np.ndarray) -> float:
    positive, negative = scores[labels > 0.5], scores[labels <= 0.5]
    wins = (positive[:, None] > negative[None, :]).sum() + 0.5 * (positive[:, None] == negative[None, :]).sum()
    return float(wins / (len(positive) * len(negative)))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=60))
def test_against_brute_force(rows: list[tuple[int, bool]]) -> None:
    scores = np.array([score for score, _ in rows], dtype=np.float32)
    labels = np.array([label for _, label in rows], dtype=np.float32)
    if labels.min() == labels.max():
        assert exact_auc(scores, labels) is None
    else:
        assert exact_auc(scores, labels) == pytest.approx(brute(scores, labels), abs=1e-12)


def test_constant_scores_are_worth_a_half_in_any_order() -> None:
    """torchrec's AUC gives 0.333 or 0.667 here, by the order of the rows."""
    for labels in ([1, 1, 0, 0, 0], [0, 0, 0, 1, 1]):
        assert exact_auc(np.zeros(5), labels) == 0.5


def test_no_rows() -> None:
    assert exact_auc(np.empty(0), np.empty(0)) is None
