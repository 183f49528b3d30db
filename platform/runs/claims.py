"""What a run does next: `next_work` decides once and writes the claim before a row is read; every attempt reuses it."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from catalog.selectors import keep_partitions
from exfm_core.spec import VerticalSpec
from registry.selectors import open_binding
from runs import quotas
from runs.gating import SHUT, Position, position
from runs.hardcaps import extend_reservation
from runs.leases import Lease, hold
from runs.models import Attempt, Kind, ManifestEntry, Run, RunLineage, State, WorkClaim
from runs.outcomes import CANCELLING, End, Outcome
from runs.periods import Period
from runs.planner import is_active
from runs.scoring import Scoring
from runs.supervision import task_kind
from runs.units import Lesson, Nothing, Unit, arms_of, next_unit, open_claim, rows_of, rows_of_claim


@dataclass(frozen=True)
class Task:
    """A claimed unit and the device-seconds after which its child is killed."""

    claim: WorkClaim
    hard_cap: float
    rows: int


@dataclass(frozen=True)
class Idle:
    """Nothing to do now; more may come."""

    code: str
    message: str


PATIENCE_SECONDS: Final = 5.0

Answer = Task | Idle | Outcome
"""Outcome = the attempt must end at the last checkpoint, as it says."""


def next_work(*, lease: Lease, now: datetime | None = None) -> Answer:
    """Return the run's next unit, claimed and paid for in advance. Raises StaleLease.

    An uncommitted claim of the same lineage comes first, whoever wrote it. Where money is refused nothing is claimed.
    """
    moment = now or timezone.now()
    with transaction.atomic():
        run = hold(lease=lease)
        if not is_active(run):
            return Outcome(End.STOPPED, "model_paused", CANCELLING["model_paused"])
        claim = open_claim(run)
        unit: Unit | Nothing | None = None
        if claim is None:
            unit = _kept_unit(run, moment)
            if isinstance(unit, Nothing):
                return Idle(unit.code, unit.message)
        attempt = Attempt.objects.get(id=lease.attempt_id)
        rows = rows_of_claim(claim) if claim is not None else rows_of(unit)  # type: ignore[arg-type]
        refusal, cap = extend_reservation(run=run, attempt=attempt, rows=rows, now=moment)
        if refusal is not None:
            return Outcome(End.STOPPED, refusal.code, refusal.message)
        if claim is None:
            claim = _write(run, unit)  # type: ignore[arg-type]
        elif claim.run_id != run.id:
            WorkClaim.objects.filter(id=claim.id).update(run=run)
            claim.run = run
        _enrol(run, claim)
    return Task(claim, cap, rows)


def _kept_unit(run: Run, now: datetime) -> Unit | Nothing:
    """Return the next unit, its partitions kept from being deleted; one that was deleted meanwhile is looked past."""
    while True:
        unit = next_unit(run, now)
        if isinstance(unit, Nothing):
            return unit
        wanted = unit.partitions if isinstance(unit, Period) else [unit.partition]
        if keep_partitions(partition_ids=[partition.id for partition in wanted]):
            return unit


def must_yield(*, run_id: uuid.UUID, priority: int, idle_seconds: float) -> bool:
    """Whether a run should give its slot to one that is queued for want of slots, or of a place in its tenant's quota.

    Between two units to one of higher priority; when idle for a while to any, but not at once, because starting a
    child again costs seconds.
    """
    own = Q(reason_code=quotas.CODE, tenant_id=Run.objects.filter(id=run_id).values("tenant_id")[:1])
    waiting = Run.objects.filter(Q(reason_code="capacity") | own, state=State.QUEUED).exclude(id=run_id)
    if idle_seconds < PATIENCE_SECONDS:
        waiting = waiting.filter(priority__gt=priority)
    return waiting.exists()


def _write(run: Run, unit: Unit) -> WorkClaim:
    if isinstance(unit, Lesson):
        return _claim_lesson(run, unit)
    if isinstance(unit, Scoring):
        return WorkClaim.objects.create(
            tenant_id=run.tenant_id, run=run, kind=run.kind, partition=unit.partition, snapshot=unit.snapshot
        )
    return _claim_period(run, unit)


def _claim_lesson(run: Run, lesson: Lesson) -> WorkClaim:
    assert run.model is not None  # noqa: S101 - by kind
    place = Position(SHUT, {"rule": "unlabelled"})
    if lesson.labels.label_set is not None:
        binding = open_binding(model_id=run.model.id)
        assert binding is not None  # noqa: S101 - there is a label set
        place = position(
            supervision=VerticalSpec.from_json(lesson.version.spec).supervision,
            lineages=lesson.lineages,
            label_set=lesson.labels.label_set,
            teacher=binding.foundation_model,
            task=task_kind(run.model, lesson.version),
        )
    return WorkClaim.objects.create(
        tenant_id=run.tenant_id,
        run=run,
        kind=run.kind,
        lineage=lesson.primary,
        partition=lesson.partition,
        label_set=lesson.labels.label_set,
        label_reason=lesson.labels.reason,
        gate=place.gate,
        gate_evidence=place.evidence,
    )


def _claim_period(run: Run, period: Period) -> WorkClaim:
    """Freeze the manifest: what is not in it comes with a later period. `snapshot` is what the candidate must beat."""
    assert run.foundation_model is not None  # noqa: S101 - by kind
    claim = WorkClaim.objects.create(
        tenant_id=run.tenant_id,
        run=run,
        kind=run.kind,
        lineage=period.lineage,
        snapshot_id=run.foundation_model.published_id,
        period_start=period.start,
        period_end=period.end,
    )
    ManifestEntry.objects.bulk_create(
        [
            ManifestEntry(tenant_id=p.tenant_id, claim=claim, lineage=period.lineage, partition=p)
            for p in period.partitions
        ]
    )
    return claim


def _enrol(run: Run, claim: WorkClaim) -> None:
    """Note which lineages the run trains."""
    if claim.lineage is None:
        return
    lineages = [claim.lineage]
    if run.kind == Kind.VM_TRAIN:
        lineages = list(arms_of(run.model_id).values())
    for lineage in lineages:
        RunLineage.objects.get_or_create(run=run, lineage=lineage, defaults={"tenant_id": run.tenant_id})
