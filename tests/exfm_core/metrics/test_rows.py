"""Every figure against its definition, on rows drawn by hypothesis. Subnormals are left out: FBGEMM flushes them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exfm_core.errors import DataError
from exfm_core.metrics import sums
from exfm_core.metrics.auc import exact_auc
from exfm_core.metrics.grouped import grouped_auc
from exfm_core.metrics.histogram import LogitHistogram
from exfm_core.metrics.regret import regret
from exfm_core.metrics.reliability import Reliability
from tests.exfm_core.metrics import brute

LOGIT = st.floats(-15, 15, width=32, allow_subnormal=False)
TIED = st.integers(-4, 4).map(float)
ROW = st.tuples(st.one_of(LOGIT, TIED), st.integers(0, 1), st.integers(0, 5))
ROWS = st.lists(ROW, min_size=1, max_size=40)
SETTINGS = settings(max_examples=100, deadline=None)


@SETTINGS
@given(ROWS)
def test_sums_and_what_is_made_of_them(rows: list[tuple[float, int, int]]) -> None:
    z, y, k = (list(column) for column in zip(*rows, strict=True))
    state = sums.BucketSums.of(k, y, z)
    losses = [brute.loss(a, b) for a, b in zip(z, y, strict=True)]
    rate = sum(y) / len(y)
    assert sums.log_loss(state).value == pytest.approx(sum(losses) / len(y), rel=1e-9, abs=1e-12)
    ne, calibration = sums.normalized_entropy(state), sums.calibration(state)
    if rate in (0.0, 1.0):
        assert (ne.value, ne.reason) == (None, "only one class")
    else:
        assert ne.value == pytest.approx(sum(losses) / len(y) / brute.entropy(rate), rel=1e-9)
    if rate == 0.0:
        assert (calibration.value, calibration.reason) == (None, "no positives")
    else:
        assert calibration.value == pytest.approx(sum(map(brute.sigmoid, z)) / sum(y), rel=1e-9)
    for bucket in range(6):
        assert state.loss[bucket] == pytest.approx(sum(v for v, b in zip(losses, k, strict=True) if b == bucket))


@SETTINGS
@given(ROWS)
def test_auc_gauc_and_the_histogram(rows: list[tuple[float, int, int]]) -> None:
    z, y, g = (list(column) for column in zip(*rows, strict=True))
    area = brute.auc(z, y)
    assert exact_auc(z, y) == (None if area is None else pytest.approx(area, abs=1e-12))
    estimate = LogitHistogram.of(z, y).auc()
    if area is None:
        assert estimate.value is None and estimate.reason == "only one class"
    else:
        assert estimate.value is not None and estimate.error is not None
        assert abs(estimate.value - area) <= estimate.error + 1e-12
    grouped, counted = brute.gauc(z, y, g)
    found = grouped_auc(z, y, g)
    assert found.rows == counted
    assert found.value == (None if grouped is None else pytest.approx(grouped, abs=1e-12))


@SETTINGS
@given(ROWS)
def test_ece(rows: list[tuple[float, int, int]]) -> None:
    z, y, _ = (list(column) for column in zip(*rows, strict=True))
    p = [brute.sigmoid(value) for value in z]
    half = len(p) // 2
    whole = Reliability.of(p[:half], y[:half], 10) + Reliability.of(p[half:], y[half:], 10)
    assert whole.error().value == pytest.approx(brute.ece(p, y, 10), abs=1e-12)
    assert sum(count for _, _, count in whole.curve()) == len(p)


@SETTINGS
@given(st.lists(st.tuples(LOGIT, st.floats(0, 1, allow_subnormal=False)), min_size=1, max_size=40))
def test_regret_is_the_divergence_from_the_truth(rows: list[tuple[float, float]]) -> None:
    z, p = (list(column) for column in zip(*rows, strict=True))
    expected = sum(brute.loss(a, b) - brute.entropy(b) for a, b in rows) / len(rows)
    assert regret(z, p).value == pytest.approx(expected, abs=1e-9)
    assert regret(z, [brute.sigmoid(value) for value in z]).value == pytest.approx(0.0, abs=1e-9)


def test_a_perfectly_ordered_user_hides_behind_a_bad_global_order() -> None:
    """gAUC sees only order within a user: 1 here, where AUC over all rows is a half."""
    scores, labels, users = [0, 1, 2, 3], [0, 1, 0, 1], [7, 7, 9, 9]
    assert grouped_auc(scores, labels, users).value == 1.0
    assert exact_auc(scores, labels) == 0.75
    assert grouped_auc(scores, labels, [1, 2, 3, 4]).reason == "no group has both classes"


def test_what_is_undefined_says_why_and_what_is_wrong_is_refused() -> None:
    assert grouped_auc([], [], []).reason == "no rows"
    assert regret([], []).reason == "no rows"
    assert Reliability.of([], []).error().reason == "no rows"
    with pytest.raises(DataError, match="not logits"):
        Reliability.of([1.5], [1])
    with pytest.raises(DataError, match="do not add up"):
        Reliability.of([0.5], [1], 10) + Reliability.of([0.5], [1], 20)
    assert Reliability.of([1.0, 0.0], [1, 0]).error().value == 0.0
    assert np.isfinite(sums.log_loss(sums.BucketSums.of([0], [1], [-1e30])).value or np.nan)
