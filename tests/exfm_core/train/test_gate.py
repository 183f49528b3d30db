"""The publishing gate refuses what is worse beyond chance, and only that."""

import numpy as np
import numpy.typing as npt
import pytest

from exfm_core.metrics.sums import MIN_BUCKETS
from exfm_core.train.gate import Limits, judge

RNG = np.random.default_rng(0)
LIMITS = Limits()
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@pytest.fixture(autouse=True)
def same_numbers() -> None:
    """Every test draws the same numbers, whichever tests ran before it in its process."""
    RNG.bit_generator.state = np.random.default_rng(0).bit_generator.state


def rows(n: int) -> tuple[Floats, Floats, Ints, Ints]:
    """True logits, labels, slots and user buckets of n independent rows of one head."""
    z = RNG.normal(-1, 1, (n, 1)).astype(np.float32)
    y = (RNG.random((n, 1)) < 1 / (1 + np.exp(-z))).astype(np.float32)
    return z, y, np.full(n, 1), RNG.integers(0, 256, n)


def test_first_snapshot_is_published_on_calibration_alone() -> None:
    z, y, slots, buckets = rows(3000)
    verdict = judge(["click"], z, None, y, slots, buckets, LIMITS)
    assert verdict.decision == "publish"
    assert "2 of 2 heads" in verdict.reason
    assert [(head.tenant_slot, head.n, head.ne_current) for head in verdict.heads] == [(0, 3000, None), (1, 3000, None)]


def test_miscalibrated_is_rejected() -> None:
    z, y, slots, buckets = rows(3000)
    for shift in (-1, 1):
        verdict = judge(["click"], z + shift, None, y, slots, buckets, LIMITS)
        assert verdict.decision == "reject"
        assert "calibration" in verdict.reason


def test_worse_than_published_is_rejected() -> None:
    z, y, slots, buckets = rows(3000)
    noise = RNG.normal(0, 1.0, z.shape).astype(np.float32)
    verdict = judge(["click"], z + noise, z, y, slots, buckets, Limits(calibration=(0.5, 2.0)))
    assert verdict.decision == "reject"
    assert "worse than the published" in verdict.reason


def test_a_slight_regression_is_tolerated() -> None:
    z, y, slots, buckets = rows(3000)
    assert judge(["click"], z * 0.95, z, y, slots, buckets, LIMITS).decision == "publish"


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_not_finite_is_corrupt(bad: float) -> None:
    z, y, slots, buckets = rows(300)
    z[7] = bad
    assert judge(["click"], z, None, y, slots, buckets, LIMITS).decision == "corrupt"


def test_one_bad_logit_of_few_users_is_corrupt_all_the_same() -> None:
    z, y, slots, _ = rows(3)
    z[0] = np.nan
    assert judge(["click"], z, None, y, slots, np.zeros(3, np.int64), LIMITS).decision == "corrupt"


def test_few_rows_are_reported_not_judged() -> None:
    z, y, slots, buckets = rows(100)
    verdict = judge(["click"], z + 3, z, y, slots, buckets, LIMITS)
    assert verdict.decision == "publish"
    assert verdict.heads[0].ne_candidate is not None
    assert "0 of 2 heads" in verdict.reason


@pytest.mark.parametrize(("users", "decision"), [(MIN_BUCKETS - 1, "publish"), (MIN_BUCKETS, "reject")])
def test_many_rows_of_few_users_are_reported_not_judged(users: int, decision: str) -> None:
    z, y, slots, _ = rows(3000)
    verdict = judge(["click"], z + 3, z, y, slots, np.arange(3000) % users * 7, LIMITS)
    assert verdict.decision == decision
    assert verdict.heads[0].ne_candidate is not None
    assert verdict.heads[0].calibration is not None
    assert verdict.heads[0].judged is (decision == "reject")


def test_one_class_is_reported_not_judged() -> None:
    z, y, slots, buckets = rows(600)
    verdict = judge(["click"], z, z, np.zeros_like(y), slots, buckets, LIMITS)
    assert verdict.decision == "publish"
    assert "0 of 2 heads" in verdict.reason


def test_rows_without_the_task_do_not_count() -> None:
    z, y, slots, buckets = rows(600)
    labels = np.concatenate([y, np.full_like(y, np.nan)], 1)
    verdict = judge(["click", "like"], np.concatenate([z, z], 1), None, labels, slots, buckets, LIMITS)
    assert {(head.task, head.n) for head in verdict.heads} == {("click", 600), ("like", 0)}


def test_a_tenant_of_many_users_is_judged_beside_one_of_few() -> None:
    z, y, _, buckets = rows(3000)
    slots = np.where(np.arange(3000) < 1500, 1, 2)
    buckets = np.where(slots == 1, buckets % 5, buckets)
    verdict = judge(["click"], z, None, y, slots, buckets, LIMITS)
    assert [(head.tenant_slot, head.judged) for head in verdict.heads] == [(0, True), (1, False), (2, True)]


def two_tenants(shift: float, share: float = 0.5) -> tuple[Floats, Floats, Ints, Ints]:
    """True logits of two tenants; a `share` of the rows is tenant 2's, whose labels are drawn `shift` logits apart."""
    z, y, _, buckets = rows(6000)
    slots = np.where(np.arange(6000) < 6000 * (1 - share), 1, 2)
    apart = z + np.where(slots == 2, shift, 0.0)[:, None]
    y = (RNG.random((6000, 1)) < 1 / (1 + np.exp(-apart))).astype(np.float32)
    return z, y, slots, buckets


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_no_tenant_alone_keeps_the_teacher_from_the_others(share: float) -> None:
    """Its held-back users contradict what it taught, or what it was taught is wrong for it alone."""
    z, y, slots, buckets = two_tenants(-2.0, share)
    judgement = judge(["click"], z, None, y, slots, buckets, LIMITS)
    assert judgement.decision == "publish"
    assert judgement.regressed(2) == {"click"}
    assert judgement.regressed(1) == frozenset()
    assert bool(judgement.heads[0].problem) == (share > 0.1)


def test_what_is_wrong_for_all_is_rejected_with_many_tenants_too() -> None:
    z, y, slots, buckets = two_tenants(0.0)
    for shift in (1.0, -1.0):
        judgement = judge(["click"], z + shift, None, y, slots, buckets, LIMITS)
        assert judgement.decision == "reject"
        assert "all tenants" in judgement.reason


def test_one_tenants_regression_against_the_published_is_its_own() -> None:
    z, y, slots, buckets = two_tenants(0.0)
    noise = RNG.normal(0, 1.5, z.shape).astype(np.float32) * (slots == 1)[:, None]
    judgement = judge(["click"], z + noise, z, y, slots, buckets, Limits(calibration=(0.3, 3.0)))
    assert judgement.decision == "publish"
    assert judgement.regressed(1) == {"click"}
    assert "slot" not in judgement.reason


def test_a_fault_of_many_small_tenants_is_not_one_tenants() -> None:
    z, y, _, buckets = rows(6000)
    judgement = judge(["click"], z + 1, None, y, np.arange(6000) % 30 + 1, buckets, LIMITS)
    assert judgement.decision == "reject"


def test_small_periods_are_judged_together() -> None:
    """Eight user buckets a period: no verdict alone, one from three periods on, over the same rows for both."""
    z, y, slots, _ = rows(3000)
    ages = np.repeat(np.arange(5), 600)
    buckets = RNG.integers(0, 8, 3000) + 8 * ages
    alone = judge(["click"], z[:600] + 2, z[:600], y[:600], slots[:600], buckets[:600], LIMITS)
    assert not any(head.judged for head in alone.heads)
    together = judge(["click"], z + 2, z, y, slots, buckets, LIMITS, ages)
    assert together.decision == "reject"
    assert {(head.judged, head.periods, head.n) for head in together.heads} == {(True, 3, 1800)}


def test_old_periods_count_only_where_the_newest_is_too_small() -> None:
    z, y, slots, buckets = rows(3000)
    ages = np.repeat(np.arange(2), 1500)
    wrong_before = z + 3.0 * (ages == 1)[:, None]
    judgement = judge(["click"], wrong_before.astype(np.float32), None, y, slots, buckets, LIMITS, ages)
    assert judgement.decision == "publish"
    assert {(head.periods, head.n) for head in judgement.heads} == {(1, 1500)}
