"""The database refuses to break the invariants of training, whoever asks. Each test tries to."""

from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.utils import timezone

from registry.models import Checkpoint
from runs.models import Consumption, Kind, ManifestEntry, MetricSums, Run, WorkClaim
from tenancy.scope import tenant_scope
from tests.kit.domain import (
    foundation_lineage,
    hour,
    lineage,
    make_candidate,
    make_claim,
    make_label_set,
    make_partition,
    make_run,
    publish,
)
from tests.platform.runs.setting import Setting, join, make_setting


def consume(course: Any, partition: Any, claim: WorkClaim) -> Consumption:
    checkpoint = Checkpoint.objects.create(
        tenant_id=course.tenant_id, lineage=course, position=partition.end, uri="runs/x", sha256="0" * 64, bytes=1
    )
    return Consumption.objects.create(
        tenant_id=partition.tenant_id, lineage=course, partition=partition, claim=claim, checkpoint=checkpoint
    )


def lesson(setting: Setting, index: int, **fields: Any) -> tuple[Any, WorkClaim]:
    run = Run.objects.filter(model=setting.model).first() or make_run(setting.tenant, setting.model)
    partition = make_partition(setting.stream, index)
    return partition, make_claim(run, lineage(setting.model, "treatment"), partition, **fields)


def refused() -> Any:
    return pytest.raises(IntegrityError)


def test_a_partition_is_consumed_once():
    setting = make_setting()
    partition, claim = lesson(setting, 0)
    consume(lineage(setting.model, "treatment"), partition, claim)
    with refused(), transaction.atomic():
        consume(lineage(setting.model, "treatment"), partition, claim)


def test_consumption_never_goes_back_in_time():
    setting = make_setting()
    later, claim = lesson(setting, 5)
    consume(lineage(setting.model, "treatment"), later, claim)
    earlier, second = lesson(setting, 2)
    with refused(), transaction.atomic():
        consume(lineage(setting.model, "treatment"), earlier, second)


def test_order_holds_per_lineage_only():
    setting = make_setting()
    later, claim = lesson(setting, 5)
    consume(lineage(setting.model, "treatment"), later, claim)
    earlier, second = lesson(setting, 2)
    assert consume(lineage(setting.model, "control"), earlier, second)


def test_a_lineage_consumes_its_own_tenants_partitions_only():
    setting, other = make_setting(), make_setting()
    partition, claim = lesson(setting, 0)
    with refused(), transaction.atomic():
        consume(lineage(other.model, "treatment"), partition, claim)


def test_consumption_carries_the_partitions_tenant():
    setting, other = make_setting(), make_setting()
    partition, claim = lesson(setting, 0)
    course = lineage(setting.model, "treatment")
    checkpoint = consume(course, partition, claim).checkpoint
    second, _ = lesson(setting, 1)
    with refused(), transaction.atomic():
        Consumption.objects.create(
            tenant=other.tenant, lineage=course, partition=second, claim=claim, checkpoint=checkpoint
        )


def test_an_unsealed_partition_is_not_consumed():
    setting = make_setting()
    run = make_run(setting.tenant, setting.model)
    course = lineage(setting.model, "treatment")
    partition = make_partition(setting.stream, 0, state="uploaded", sealed_at=None, rows=None)
    claim = make_claim(run, course, partition)
    with refused(), transaction.atomic():
        consume(course, partition, claim)


def period(setting: Setting, end: int, **fields: Any) -> WorkClaim:
    run = Run.objects.filter(kind=Kind.FM_TRAIN).first() or make_run(
        None, foundation_model=setting.teacher, kind=Kind.FM_TRAIN
    )
    return WorkClaim.objects.create(
        run=run,
        kind=Kind.FM_TRAIN,
        lineage=foundation_lineage(setting.teacher),
        period_start=hour(end - 1),
        period_end=hour(end),
        **fields,
    )


def enter(setting: Setting, claim: WorkClaim, partition: Any) -> ManifestEntry:
    return ManifestEntry.objects.create(
        tenant_id=partition.tenant_id,
        claim=claim,
        lineage=foundation_lineage(setting.teacher),
        partition=partition,
    )


def test_no_manifest_without_consent():
    setting = make_setting()
    mute = join(setting.teacher, feed_fm=False)
    claim = period(setting, 1)
    assert enter(setting, claim, make_partition(setting.stream, 0))
    with refused(), transaction.atomic():
        enter(setting, claim, make_partition(mute.stream, 0))


def test_a_committed_manifest_is_closed():
    setting = make_setting()
    claim = period(setting, 1, committed_at=timezone.now())
    with refused(), transaction.atomic():
        enter(setting, claim, make_partition(setting.stream, 0))


def test_a_manifest_holds_nothing_from_after_its_period():
    setting = make_setting()
    claim = period(setting, 1)
    with refused(), transaction.atomic():
        enter(setting, claim, make_partition(setting.stream, 1))


def test_the_teacher_consumes_only_what_its_manifest_lists():
    setting = make_setting()
    claim = period(setting, 1)
    partition = make_partition(setting.stream, 0)
    with refused(), transaction.atomic():
        consume(foundation_lineage(setting.teacher), partition, claim)
    enter(setting, claim, partition)
    assert consume(foundation_lineage(setting.teacher), partition, claim)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("gate", "shut"),
        ("label_reason", "deadline"),
        ("gate_evidence", {"rule": "other"}),
        ("label_set", None),
        ("partition", "other"),
        ("lineage", "control"),
    ],
)
def test_decisions_are_immutable(column, value):
    setting = make_setting()
    partition = make_partition(setting.stream, 1)
    labels = make_label_set(partition, publish(setting.teacher, hour(1)))
    run = make_run(setting.tenant, setting.model)
    claim = make_claim(
        run, lineage(setting.model, "treatment"), partition, committed_at=None, label_set=labels, gate="open"
    )
    if column == "partition":
        value = make_partition(setting.stream, 2)
    if column == "lineage":
        value = lineage(setting.model, "control")
    with refused(), transaction.atomic():
        WorkClaim.objects.filter(id=claim.id).update(**{column: value})
    assert WorkClaim.objects.filter(id=claim.id).update(committed_at=timezone.now(), result={"rows": 1}) == 1


def test_a_committed_claim_does_not_change_any_more():
    setting = make_setting()
    _, claim = lesson(setting, 0)
    with refused(), transaction.atomic():
        WorkClaim.objects.filter(id=claim.id).update(result={"rows": 2})


def test_a_claim_reads_labels_of_its_own_partition():
    setting = make_setting()
    labels = make_label_set(make_partition(setting.stream, 1), publish(setting.teacher, hour(1)))
    with refused(), transaction.atomic():
        lesson(setting, 2, label_set=labels)


@pytest.mark.parametrize("case", ["leak", "unpublished"])
def test_scoring_claims_never_leak(case):
    setting = make_setting()
    run = make_run(None, foundation_model=setting.teacher, kind=Kind.DAS_SCORE)
    partition = make_partition(setting.stream, 3)
    bad = publish(setting.teacher, hour(4)) if case == "leak" else make_candidate(setting.teacher, hour(3))
    with refused(), transaction.atomic():
        WorkClaim.objects.create(run=run, kind=Kind.DAS_SCORE, partition=partition, snapshot=bad)


@pytest.mark.parametrize("model", [Consumption, ManifestEntry, MetricSums])
def test_records_are_append_only(model):
    for statement in (f"UPDATE {model._meta.db_table} SET created_at = now()", f"DELETE FROM {model._meta.db_table}"):
        with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_a_tenant_queues_and_stops_but_writes_nothing_else(as_role):
    setting = make_setting()
    run = make_run(setting.tenant, setting.model, state="queued")
    stranger = make_setting()
    hidden = make_run(stranger.tenant, stranger.model)
    with as_role("exfm_app"), tenant_scope(setting.tenant.id):
        assert Run.objects.filter(id=hidden.id).count() == 0
        assert Run.objects.filter(id=run.id).update(stop_requested_at=timezone.now(), stop_reason="user") == 1
        with pytest.raises(ProgrammingError), transaction.atomic():
            Run.objects.filter(id=run.id).update(state="succeeded")


@pytest.mark.parametrize("fields", [{"state": "running"}, {"priority": 9}, {"kind": "fm.train"}])
def test_a_tenant_cannot_make_a_run_that_jumps_the_queue(as_role, fields):
    setting = make_setting()
    with as_role("exfm_app"), tenant_scope(setting.tenant.id), pytest.raises(ProgrammingError), transaction.atomic():
        make_run(setting.tenant, setting.model, **{"state": "queued", **fields})
