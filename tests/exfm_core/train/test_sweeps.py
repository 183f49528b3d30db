"""The sweeps of METHOD §6, small: delays with and without SA, a ladder of teachers with TR, the ablation matrix."""

from dataclasses import replace

import numpy as np
import pytest

from exfm_core.metrics.sums import BucketSums, pooled_lift
from exfm_core.metrics.transfer import transfer_ratio
from exfm_core.spec import FoundationSpec, Supervision, VerticalSpec, ladder
from exfm_core.train.arms import Arm
from exfm_core.train.local import Course, LocalPartition, LocalTenant, Teaching, study, teach
from tests.exfm_core.distill.test_variants import VARIANTS
from tests.exfm_core.train.factories import HOUR, ORIGIN, foundation, partition, schema, vertical

PERIODS, ROWS = 10, 300
TENANTS = {"a": LocalTenant(schema(), 1), "b": LocalTenant(schema(), 2)}
AH = Supervision("custom", w=1.0, aux_width=16)
AH_SA = Supervision("safe", aux_width=16)


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, LocalPartition]]:
    """Ten periods of a small tenant and a larger one of the same world."""
    root, found = tmp_path_factory.mktemp("stream"), []
    for t in range(PERIODS):
        start, period = ORIGIN + t * HOUR, {}
        for name, count in (("a", ROWS), ("b", 2 * ROWS)):
            part = partition(root / name, count, t, seed=9)
            period[name] = LocalPartition(root / name / part.file.uri, count, start, start + HOUR)
        found.append(period)
    return found


def course(
    stream: list[dict[str, LocalPartition]], teaching: Teaching, spec: VerticalSpec, arms: list[str | Arm]
) -> Course:
    labels = [labels.get("a", {}).get("click") for labels in teaching.labels]
    return study(spec, schema(), [period["a"] for period in stream], labels, arms=arms, gated=False)


def test_delays_with_and_without_the_adapter(stream: list[dict[str, LocalPartition]]) -> None:
    """Delay d: period t is labelled by the snapshot of period t − d; the first d periods have no label."""
    by_delay = {delay: teach(foundation(), TENANTS, stream, delay=delay, backend="plain") for delay in (1, 2, 4, 8)}
    freshest = by_delay[1]
    for delay, teaching in by_delay.items():
        assert [bool(labels) for labels in teaching.labels] == [t >= delay for t in range(PERIODS)]
        assert [o.judgement for o in teaching.outcomes] == [o.judgement for o in freshest.outcomes]
        found = course(stream, teaching, vertical(AH), ["control", Arm("AH", AH), Arm("AH+SA", AH_SA)])
        assert found.sums("control", covered=True).rows == (PERIODS - delay) * ROWS
        for arm in ("AH", "AH+SA"):
            lift = found.lift(arm)
            assert lift.value is not None
            assert lift.low is not None
            assert lift.low < lift.value
    last = [teaching.sums[-1]["a"]["click"].loss.sum() for teaching in by_delay.values()]
    assert last[0] < last[-1]


def test_a_ladder_of_teachers_with_transfer_ratios(stream: list[dict[str, LocalPartition]]) -> None:
    base = foundation()
    found = []
    for size in ("xs", "s"):
        model = replace(ladder(size, base.model.features, ("click",)), tenant_slots=4)
        teaching = teach(FoundationSpec(model, base.optimizer, base.seed), TENANTS, stream, backend="plain")
        taught = course(stream, teaching, vertical(AH), ["control", Arm("AH", AH)])
        teacher = BucketSums.merge([sums["a"]["click"] for sums in teaching.sums if sums])
        control, treatment = taught.sums("control", covered=True), taught.sums("AH", covered=True)
        ratio = transfer_ratio(control, treatment, teacher)
        assert ratio.rows == (PERIODS - 1) * ROWS
        gain = 1 - teacher.loss.sum() / control.loss.sum()
        if gain > 0:
            assert ratio.value == pytest.approx((1 - treatment.loss.sum() / control.loss.sum()) / gain)
        else:
            assert (ratio.value, ratio.reason) == (None, "the foundation model does not gain")
        found.append(teacher.loss.sum())
    assert found[0] != found[1]


def test_the_ablation_matrix_has_paired_intervals_over_three_seeds(stream: list[dict[str, LocalPartition]]) -> None:
    teaching = teach(foundation(), TENANTS, stream, backend="plain")
    seeds = (3, 4, 5)
    base = vertical(AH)
    courses = [course(stream, teaching, replace(base, seed=seed), ["control", *VARIANTS]) for seed in seeds]
    for arm in VARIANTS:
        lifts = [one.lift(arm.name).value for one in courses]
        pooled = pooled_lift([(one.sums("control"), one.sums(arm.name)) for one in courses])
        assert pooled.value is not None
        assert pooled.low is not None
        assert pooled.high is not None
        assert pooled.low <= pooled.value <= pooled.high
        if arm.name == "none":
            assert lifts == [0.0] * len(seeds)
        else:
            assert len(set(lifts)) == len(seeds)
    losses = np.array([[one.sums(arm.name).loss.sum() for arm in VARIANTS] for one in courses])
    assert losses.shape == (3, len(VARIANTS))
