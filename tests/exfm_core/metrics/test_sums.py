"""Sums and the figures made of them, against brute force over the rows."""

import json
import math

import numpy as np
import pytest

from exfm_core.errors import DataError
from exfm_core.metrics import sums
from exfm_core.metrics.sums import BucketSums


def rows(seed: int, count: int = 4000, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=count)
    labels = (rng.random(count) < 1 / (1 + np.exp(-logits))).astype(np.int8)
    return rng.integers(0, 256, count), labels, logits + shift


def brute_loss(labels: np.ndarray, logits: np.ndarray) -> float:
    total = 0.0
    for y, z in zip(labels.tolist(), logits.tolist(), strict=True):
        p = 1 / (1 + math.exp(-z))
        total -= y * math.log(p) + (1 - y) * math.log(1 - p)
    return total


def test_figures_agree_with_brute_force() -> None:
    buckets, labels, logits = rows(1, shift=0.3)
    state = BucketSums.of(buckets, labels, logits)
    rate = labels.mean()
    entropy = -(rate * math.log(rate) + (1 - rate) * math.log(1 - rate))
    mean = brute_loss(labels, logits) / len(labels)
    assert sums.log_loss(state).value == pytest.approx(mean, rel=1e-12)
    assert sums.normalized_entropy(state).value == pytest.approx(mean / entropy, rel=1e-12)
    assert sums.calibration(state).value == pytest.approx((1 / (1 + np.exp(-logits))).sum() / labels.sum(), rel=1e-12)


def test_sums_do_not_depend_on_how_rows_are_split() -> None:
    buckets, labels, logits = rows(2)
    whole = BucketSums.of(buckets, labels, logits)
    parts = [BucketSums.of(buckets[i::3], labels[i::3], logits[i::3]) for i in range(3)]
    merged = BucketSums.merge(parts)
    np.testing.assert_allclose(merged.loss, whole.loss, rtol=1e-12)
    assert (merged.n == whole.n).all() and merged.rows == len(labels)
    grown = BucketSums.zeros().add(buckets, labels, logits)
    assert (grown.p == whole.p).all()


def test_extreme_logits_stay_finite() -> None:
    state = BucketSums.of([0, 0], [1, 0], [-1e4, 1e4])
    assert sums.log_loss(state).value == pytest.approx(1e4)


def test_json_is_exact() -> None:
    state = BucketSums.of(*rows(3))
    again = BucketSums.from_json(json.loads(json.dumps(state.to_json())))
    assert all((getattr(again, name) == getattr(state, name)).all() for name in ("n", "y", "loss", "p"))


@pytest.mark.parametrize("damage", [{"n": [1.0]}, {"loss": [float("nan")] * 256}, {"y": "x"}, {"p": [-1.0] * 256}])
def test_damaged_sums_are_refused(damage: dict[str, object]) -> None:
    with pytest.raises(DataError) as caught:
        BucketSums.from_json({**BucketSums.zeros().to_json(), **damage})
    assert caught.value.code == "sums.malformed"


@pytest.mark.parametrize("labels", [[1, 1], [0, 0]])
def test_normalized_entropy_of_one_class_is_undefined(labels: list[int]) -> None:
    figure = sums.normalized_entropy(BucketSums.of([0, 1], labels, [0.1, 0.2]))
    assert figure.value is None and figure.reason == "only one class"
    assert sums.normalized_entropy(BucketSums.zeros()).reason == "no rows"


def test_lift_is_the_relative_loss_and_its_interval_covers_the_brute_force_bootstrap() -> None:
    buckets, labels, logits = rows(4)
    control = BucketSums.of(buckets, labels, np.zeros(len(labels)))
    treatment = BucketSums.of(buckets, labels, logits)
    figure = sums.lift(control, treatment)
    assert figure.value == pytest.approx(100 * (1 - brute_loss(labels, logits) / (len(labels) * math.log(2))))
    rng = np.random.default_rng(9)
    gains = []
    for _ in range(1000):
        drawn = rng.integers(0, 256, 256)
        gains.append(100 * (1 - treatment.loss[drawn].sum() / control.loss[drawn].sum()))
    low, high = np.percentile(gains, [2.5, 97.5])
    assert figure.low == pytest.approx(low, abs=0.25) and figure.high == pytest.approx(high, abs=0.25)
    assert figure == sums.lift(control, treatment)
    assert (figure.rows, figure.buckets) == (len(labels), 256)


def test_pooled_lift_draws_a_bucket_for_all_models_at_once() -> None:
    """Two models that see the same users with the same losses are no more evidence than one of them."""
    buckets, labels, logits = rows(5)
    pair = (BucketSums.of(buckets, labels, np.zeros(len(labels))), BucketSums.of(buckets, labels, logits))
    one, two = sums.pooled_lift([pair]), sums.pooled_lift([pair, pair])
    assert (two.low, two.high) == (pytest.approx(one.low), pytest.approx(one.high))
    assert two.rows == 2 * one.rows


def test_pooled_lift_is_not_a_mean_of_lifts() -> None:
    big = (BucketSums.of(range(200), [1] * 200, [0.0] * 200), BucketSums.of(range(200), [1] * 200, [0.0] * 200))
    small = (BucketSums.of(range(20), [1] * 20, [0.0] * 20), BucketSums.of(range(20), [1] * 20, [50.0] * 20))
    assert sums.pooled_lift([big, small]).value == pytest.approx(100 * 20 / 220)


def test_lift_of_different_rows_is_refused() -> None:
    one, other = BucketSums.of([0], [1], [0.0]), BucketSums.of([1], [1], [0.0])
    with pytest.raises(DataError) as caught:
        sums.lift(one, other)
    assert caught.value.code == "sums.not_paired"


def test_missing_figures_say_why() -> None:
    assert sums.pooled_lift([]).reason == "no rows"
    few = BucketSums.of([0, 1], [0, 1], [0.0, 0.0])
    figure = sums.lift(few, few)
    assert figure.value == 0.0 and figure.low is None and "too few users" in figure.reason


def test_the_draws_of_an_interval_are_made_once() -> None:
    """A page shows many intervals: what is drawn depends on the number of buckets alone."""
    pairs = [(BucketSums.of(*rows(seed)), BucketSums.of(*rows(seed, shift=0.1))) for seed in (6, 7)]
    sums._resamples.cache_clear()
    for count in range(1, 6):
        sums.pooled_lift(pairs[:1] * count)
        sums.pooled_lift(pairs)
    kept = sums._resamples.cache_info()
    assert (kept.misses, kept.hits) == (1, 9)
