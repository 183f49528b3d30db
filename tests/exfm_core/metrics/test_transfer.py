"""Transfer ratio and shares."""

import numpy as np
import pytest

from exfm_core.errors import DataError
from exfm_core.metrics.shares import Shares
from exfm_core.metrics.sums import BucketSums, lift, lift_draws
from exfm_core.metrics.transfer import transfer_ratio


def stream(count: int = 6000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    truth = rng.normal(size=count)
    labels = (rng.random(count) < 1 / (1 + np.exp(-truth))).astype(np.int8)
    return rng.integers(0, 256, count), labels, truth


def test_is_the_quotient_of_two_gains_over_one_control() -> None:
    buckets, labels, truth = stream()
    control, treatment, teacher = (BucketSums.of(buckets, labels, truth * scale) for scale in (0.0, 0.4, 1.0))
    figure = transfer_ratio(control, treatment, teacher)
    gains = [(control.loss.sum() - arm.loss.sum()) / control.loss.sum() for arm in (treatment, teacher)]
    assert figure.value == pytest.approx(gains[0] / gains[1])
    ratios = []
    rng = np.random.default_rng(1)
    for _ in range(500):
        drawn = rng.integers(0, 256, 256)
        base = control.loss[drawn].sum()
        ratios.append((base - treatment.loss[drawn].sum()) / (base - teacher.loss[drawn].sum()))
    low, high = np.percentile(ratios, [2.5, 97.5])
    assert figure.low == pytest.approx(low, abs=0.03) and figure.high == pytest.approx(high, abs=0.03)
    assert figure.low < figure.value < figure.high


def test_a_teacher_that_does_not_gain_has_no_ratio() -> None:
    buckets, labels, truth = stream()
    control, treatment, teacher = (BucketSums.of(buckets, labels, truth * scale) for scale in (0.0, 0.4, -0.5))
    figure = transfer_ratio(control, treatment, teacher)
    assert figure.value is None and figure.reason == "the foundation model does not gain"


def test_a_gain_that_is_not_clear_of_zero_gives_no_interval() -> None:
    buckets, labels, truth = stream(300)
    noise = np.random.default_rng(5).normal(size=len(truth)) * 0.6
    control, treatment = BucketSums.of(buckets, labels, truth * 0.0), BucketSums.of(buckets, labels, truth * 0.4)
    teacher = BucketSums.of(buckets, labels, truth * 0.6 + noise)
    gain = lift(control, teacher)
    assert gain.value is not None and gain.low is not None and gain.value > 0 > gain.low
    figure = transfer_ratio(control, treatment, teacher)
    assert figure.value is not None and figure.low is None and "not clear of zero" in figure.reason


def test_other_rows_are_refused_and_no_rows_said() -> None:
    buckets, labels, truth = stream(300)
    sums = BucketSums.of(buckets, labels, truth)
    with pytest.raises(DataError) as caught:
        transfer_ratio(sums, sums, BucketSums.of(buckets[:-1], labels[:-1], truth[:-1]))
    assert caught.value.code == "sums.not_paired"
    assert transfer_ratio(*[BucketSums.zeros()] * 3).reason == "no rows"


def test_draws_of_two_treatments_are_pairs() -> None:
    """The same buckets: a treatment that halves every loss of the other gains by a fixed line of it, draw by draw."""
    buckets, labels, truth = stream(2000)
    control, one = BucketSums.of(buckets, labels, truth * 0.0), BucketSums.of(buckets, labels, truth)
    half = BucketSums(one.n, one.y, one.loss / 2, one.p)
    np.testing.assert_allclose(lift_draws(control, half), 50 + lift_draws(control, one) / 2)


def test_shares_add_up_and_warn() -> None:
    total = Shares(100, 60, 0, 40) + Shares(100, 40, 2, 0)
    assert (total.coverage.value, total.clipped_share.value, total.late_share.value) == (0.5, 0.02, 0.2)
    assert total.warns_of_clipping and not Shares(100, 100, 1).warns_of_clipping
    assert Shares().coverage.reason == "no rows" and Shares(5).clipped_share.reason == "no covered rows"
