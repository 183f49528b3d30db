"""The fenced commit: everything or nothing, once, and money for exactly what was held."""

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone

from budgets.models import Budget, LedgerEntry, UsageRecord
from exfm_core import events
from registry.models import Checkpoint, GateResult, LabelSet, Lineage, Snapshot
from runs.commits import commit
from runs.errors import BrokenReport, StaleLease
from runs.models import Attempt, Consumption, Kind, MetricSums, Run, WorkClaim
from tests.kit.domain import hour, lineage, make_partition, publish
from tests.platform.runs.setting import (
    das_done,
    do_period,
    fm_done,
    make_setting,
    next_claim,
    start,
    sums,
    vm_done,
)

TABLES = (Checkpoint, Consumption, MetricSums, LabelSet, Snapshot, UsageRecord, LedgerEntry)


def counts() -> dict[str, int]:
    return {table.__name__: table.objects.count() for table in TABLES}


@pytest.fixture
def lesson():
    """A claimed lesson: setting, run, lease, claim."""
    setting = make_setting(bound=False)
    make_partition(setting.stream, 0)
    run, lease = start(Kind.VM_TRAIN, setting.model)
    return setting, run, lease, next_claim(lease)


def test_both_arms_advance_together(lesson):
    setting, _, lease, claim = lesson
    commit(lease=lease, claim=claim, done=vm_done(claim))
    for arm in ("control", "treatment"):
        course = lineage(setting.model, arm)
        assert course.head.position == hour(1)
        assert Consumption.objects.filter(lineage=course, partition=claim.partition, claim=claim).count() == 1
        scopes = MetricSums.objects.filter(lineage=course).values_list("scope", flat=True)
        assert set(scopes) == {"all", "covered"}
    claim.refresh_from_db()
    assert claim.committed_at is not None
    assert claim.result["rows"] == 1000


def test_a_stale_lease_writes_nothing(lesson):
    _, run, lease, claim = lesson
    before = counts()
    Run.objects.filter(id=run.id).update(lease_token=None)
    with pytest.raises(StaleLease):
        commit(lease=lease, claim=claim, done=vm_done(claim))
    assert counts() == before
    assert not WorkClaim.objects.filter(committed_at__isnull=False).exists()


def test_a_repeated_commit_changes_nothing(lesson):
    _, _, lease, claim = lesson
    done = vm_done(claim)
    commit(lease=lease, claim=claim, done=done)
    before = counts()
    commit(lease=lease, claim=claim, done=done)
    assert counts() == before


@pytest.mark.parametrize("broken", [{"rows": 999}, {"arms": "one"}])
def test_a_report_that_does_not_fit_is_refused_whole(lesson, broken):
    _, _, lease, claim = lesson
    if broken.get("arms") == "one":
        broken = {"arms": {"treatment": vm_done(claim).arms["treatment"]}}
    before = counts()
    with pytest.raises(BrokenReport):
        commit(lease=lease, claim=claim, done=vm_done(claim, **broken))
    assert counts() == before


def test_a_commit_that_the_database_refuses_leaves_nothing_half_done(lesson):
    setting, _, lease, claim = lesson
    later = make_partition(setting.stream, 4)
    checkpoint = Checkpoint.objects.create(
        tenant=setting.tenant,
        lineage=lineage(setting.model, "treatment"),
        position=hour(5),
        uri="x",
        sha256="0",
        bytes=1,
    )
    Consumption.objects.create(
        tenant=setting.tenant, lineage=checkpoint.lineage, partition=later, claim=claim, checkpoint=checkpoint
    )
    before = counts()
    with pytest.raises(IntegrityError):
        commit(lease=lease, claim=claim, done=vm_done(claim))
    assert counts() == before


def test_the_control_arm_is_measurement(lesson):
    setting, _, lease, claim = lesson
    before = timezone.now()
    Attempt.objects.update(started_at=before - timedelta(seconds=40))
    commit(lease=lease, claim=claim, done=vm_done(claim))
    took = (timezone.now() - before).total_seconds()
    seconds = {row.line: float(row.device_seconds) for row in UsageRecord.objects.filter(claim=claim)}
    assert seconds["training"] == pytest.approx(3 * seconds["measurement"], rel=1e-3)
    assert 40 - 0.01 <= sum(seconds.values()) <= 40 + took
    budget = Budget.objects.get(tenant=setting.tenant)
    assert 0 < budget.spent <= budget.amount
    assert budget.reserved > 0


def test_held_time_is_charged_once(lesson):
    setting, _, lease, claim = lesson
    Attempt.objects.update(started_at=timezone.now() - timedelta(seconds=40))
    before = timezone.now()
    commit(lease=lease, claim=claim, done=vm_done(claim))
    make_partition(setting.stream, 1)
    second = next_claim(lease)
    commit(lease=lease, claim=second, done=vm_done(second))
    held = sum(float(row.device_seconds) for row in UsageRecord.objects.filter(claim=second))
    assert held <= (timezone.now() - before).total_seconds()


def test_a_step_forward_renews_the_retries(lesson):
    _, run, lease, claim = lesson
    Run.objects.filter(id=run.id).update(faults={"platform": 3})
    commit(lease=lease, claim=claim, done=vm_done(claim))
    run.refresh_from_db()
    assert run.faults == {}


def test_a_label_set_is_committed_with_its_provenance():
    setting = make_setting()
    snapshot = publish(setting.teacher, hour(1))
    partition = make_partition(setting.stream, 1)
    _, lease = start(Kind.DAS_SCORE, setting.teacher)
    claim = next_claim(lease)
    commit(lease=lease, claim=claim, done=das_done(claim))
    labels = LabelSet.objects.get()
    assert (labels.partition, labels.snapshot, labels.watermark) == (partition, snapshot, hour(1))
    assert (labels.tenant, labels.tasks, labels.rows) == (setting.tenant, ["click"], 1000)
    usage = UsageRecord.objects.get()
    assert (usage.tenant, usage.line) == (None, "fm_scoring")
    claim.refresh_from_db()
    assert claim.result["sums"]["click"]["n"] == pytest.approx(1000)


def test_a_published_candidate_moves_the_pointer():
    setting = make_setting()
    make_partition(setting.stream, 0)
    claim = do_period(setting.teacher)
    snapshot = Snapshot.objects.get()
    setting.teacher.refresh_from_db()
    assert (snapshot.state, setting.teacher.published) == ("published", snapshot)
    assert snapshot.watermark == hour(1)
    assert Consumption.objects.get().lineage == claim.lineage


def test_a_rejected_candidate_is_not_published_and_its_lineage_goes_on():
    setting = make_setting()
    make_partition(setting.stream, 0)
    claim = do_period(setting.teacher, "reject")
    setting.teacher.refresh_from_db()
    assert Snapshot.objects.get().state == "rejected"
    assert setting.teacher.published is None
    claim.lineage.refresh_from_db()
    assert (claim.lineage.state, claim.lineage.head.position) == ("active", hour(1))


def test_a_corrupt_candidate_is_abandoned_and_its_partitions_are_consumed_again():
    setting = make_setting()
    first = make_partition(setting.stream, 0)
    good = do_period(setting.teacher)
    second = make_partition(setting.stream, 1)
    run, lease = start(Kind.FM_TRAIN, setting.teacher)
    Run.objects.filter(id=run.id).update(faults={"platform": 1})
    bad = next_claim(lease)
    commit(lease=lease, claim=bad, done=fm_done(bad, "corrupt"))
    run.refresh_from_db()
    assert run.faults == {"platform": 1}
    assert Snapshot.objects.count() == 1
    fresh = Lineage.objects.get(arm="fm", state="active")
    assert fresh.parent_checkpoint.lineage == good.lineage
    again = next_claim(lease)
    assert again.lineage == fresh
    assert [entry.partition for entry in again.manifest.all()] == [second]
    commit(lease=lease, claim=again, done=fm_done(again))
    consumed = Consumption.objects.filter(partition=second).values_list("lineage_id", flat=True)
    assert list(consumed) == [fresh.id]
    assert Consumption.objects.filter(partition=first).count() == 1


def test_a_candidate_that_one_tenant_speaks_against_is_published_with_that_tenants_verdict_kept():
    setting = make_setting()
    make_partition(setting.stream, 0)
    _, lease = start(Kind.FM_TRAIN, setting.teacher)
    claim = next_claim(lease)
    slot = setting.teacher.slots.get().slot
    heads = (
        events.HeadVerdict(0, "click", 900, 0.85, 0.84, 1.1),
        events.HeadVerdict(slot, "click", 300, 0.9, 0.8, 1.6, regressed=True),
    )
    commit(lease=lease, claim=claim, done=fm_done(claim, gate=events.GateVerdict("publish", "fine", heads)))
    setting.teacher.refresh_from_db()
    assert setting.teacher.published is not None
    kept = GateResult.objects.get()
    assert (kept.snapshot, kept.task, kept.regressed) == (setting.teacher.published, "click", True)


def test_a_wrong_watermark_is_refused():
    setting = make_setting()
    make_partition(setting.stream, 0)
    _, lease = start(Kind.FM_TRAIN, setting.teacher)
    claim = next_claim(lease)
    for wrong in (hour(0), hour(2)):
        with pytest.raises(BrokenReport):
            commit(lease=lease, claim=claim, done=fm_done(claim, watermark=wrong.isoformat()))
    assert Snapshot.objects.count() == 0


def test_sums_are_kept_to_the_last_bit(lesson):
    _, _, lease, claim = lesson
    commit(lease=lease, claim=claim, done=vm_done(claim, control=0.1 + 0.2))
    row = MetricSums.objects.get(lineage__arm="control", scope="all")
    assert tuple(row.loss) == sums(1000, 0.1 + 0.2).loss
