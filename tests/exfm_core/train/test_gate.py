"""The publishing gate refuses what is worse beyond chance, and only that."""

import numpy as np
import pytest

from exfm_core.train.gate import Limits, judge

RNG = np.random.default_rng(0)
LIMITS = Limits()


def rows(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True logits, labels and slots of n rows of one head."""
    z = RNG.normal(-1, 1, (n, 1)).astype(np.float32)
    y = (RNG.random((n, 1)) < 1 / (1 + np.exp(-z))).astype(np.float32)
    return z, y, np.full(n, 1)


def test_first_snapshot_is_published_on_calibration_alone() -> None:
    z, y, slots = rows(3000)
    verdict = judge(["click"], z, None, y, slots, LIMITS)
    assert verdict.decision == "publish"
    assert [(head.tenant_slot, head.n, head.ne_current) for head in verdict.heads] == [(0, 3000, None), (1, 3000, None)]


def test_miscalibrated_is_rejected() -> None:
    z, y, slots = rows(3000)
    verdict = judge(["click"], z + 1, None, y, slots, LIMITS)
    assert verdict.decision == "reject"
    assert "calibration" in verdict.reason


def test_worse_than_published_is_rejected() -> None:
    z, y, slots = rows(3000)
    noise = RNG.normal(0, 1.0, z.shape).astype(np.float32)
    verdict = judge(["click"], z + noise, z, y, slots, Limits(calibration=(0.5, 2.0)))
    assert verdict.decision == "reject"
    assert "worse than the published" in verdict.reason


def test_a_slight_regression_is_tolerated() -> None:
    z, y, slots = rows(3000)
    assert judge(["click"], z * 0.95, z, y, slots, LIMITS).decision == "publish"


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_not_finite_is_corrupt(bad: float) -> None:
    z, y, slots = rows(300)
    z[7] = bad
    assert judge(["click"], z, None, y, slots, LIMITS).decision == "corrupt"


def test_few_rows_are_reported_not_judged() -> None:
    z, y, slots = rows(100)
    verdict = judge(["click"], z + 3, z, y, slots, LIMITS)
    assert verdict.decision == "publish"
    assert verdict.heads[0].ne_candidate is not None
    assert "0 of 2 heads" in verdict.reason


def test_rows_without_the_task_do_not_count() -> None:
    z, y, slots = rows(600)
    labels = np.concatenate([y, np.full_like(y, np.nan)], 1)
    verdict = judge(["click", "like"], np.concatenate([z, z], 1), None, labels, slots, LIMITS)
    assert {(head.task, head.n) for head in verdict.heads} == {("click", 600), ("like", 0)}
