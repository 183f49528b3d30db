"""The durable end of a unit of work: everything it changes, in one transaction fenced by the lease.

A stale lease writes nothing. Committing the same claim again is a no-op, so a supervisor that lost the answer of a
commit may repeat it. Whatever the child reported is checked against the claim before anything is written.
"""

import base64
import binascii
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from catalog.models import Partition
from exfm_core import events
from registry.models import Arm, Checkpoint, LabelSet, Lineage, Snapshot
from registry.services import abandon_lineage, publish_snapshot, reject_snapshot
from runs import nudges
from runs.accounting import Held, accounting
from runs.errors import BrokenReport
from runs.figures import keeping
from runs.leases import Lease, hold
from runs.models import Attempt, Consumption, Fault, Kind, MetricSums, Run, WorkClaim
from runs.outcomes import LINE, unsettled_seconds
from runs.units import arms_of
from runs.work import for_storage


def commit(*, lease: Lease, claim: WorkClaim, done: events.Done) -> None:
    """Make a finished unit durable. Raises StaleLease or BrokenReport; either way nothing is written."""
    writers: dict[str, Callable[[Run, WorkClaim, Any], dict[str, Any]]] = {
        Kind.VM_TRAIN: _lesson,
        Kind.DAS_SCORE: _labels,
        Kind.FM_TRAIN: _period,
    }
    with transaction.atomic():
        run = hold(lease=lease)
        held = (
            WorkClaim.objects.select_for_update(of=("self",))
            .select_related("lineage", "partition", "snapshot")
            .get(id=claim.id)
        )
        if held.committed_at is not None:
            return
        if held.run_id != run.id:
            raise BrokenReport(f"claim {claim.id} belongs to another run")
        heads = {lineage.id: lineage.head_id for lineage in arms_of(run.model_id).values()}
        result = writers[run.kind](run, held, done)
        now = timezone.now()
        WorkClaim.objects.filter(id=held.id).update(committed_at=now, result=result)
        if run.model_id is not None and held.partition_id is not None:
            keeping().committed(model_id=run.model_id, partition_id=held.partition_id, heads=heads)
        _settle(run, lease, held, done, now)
        if result.get("decision") != "corrupt":
            # Retry budgets count failures since the last step forward.
            kept = {fault: count for fault, count in run.faults.items() if fault == Fault.USER}
            Run.objects.filter(id=run.id).update(faults=kept)
        nudges.announce(run)
        nudges.wake_supervisors()
        nudges.plan_on_commit()


def _lesson(run: Run, claim: WorkClaim, done: events.VmDone) -> dict[str, Any]:
    """vm.train: checkpoints and consumption of both lineages, and their sums."""
    partition = claim.partition
    lineages = arms_of(run.model_id)
    if partition is None or set(done.arms) != set(lineages) or done.rows != partition.rows:
        raise BrokenReport(
            f"the child reports arms {sorted(done.arms)} and {done.rows} rows; expected {sorted(lineages)} and "
            f"{partition.rows if partition else 0}"
        )
    for arm, lineage in lineages.items():
        report = done.arms[arm]
        checkpoint = _advance(lineage, report.checkpoint, partition.end, run.tenant_id)
        Consumption.objects.create(
            tenant_id=partition.tenant_id, lineage=lineage, partition=partition, claim=claim, checkpoint=checkpoint
        )
        _sums(partition, lineage, MetricSums.Scope.ALL, report.all, auc=report.auc, histogram=_bytes(report.histogram))
        _sums(partition, lineage, MetricSums.Scope.COVERED, report.covered)
        if done.label is not None and arm == Arm.TREATMENT:
            _sums(partition, lineage, MetricSums.Scope.LABEL, done.label)
    return {
        "rows": done.rows,
        "covered": done.covered,
        "clipped": done.clipped,
        "seconds": done.seconds.total,
        "parts": {name: getattr(done.seconds, name) for name in ("read", "control", "treatment")},
        "batches": done.batches,
    }


def _labels(run: Run, claim: WorkClaim, done: events.DasDone) -> dict[str, Any]:
    """das.score: the label set, and the snapshot's own progressive errors as totals per task."""
    partition, snapshot = claim.partition, claim.snapshot
    if partition is None or snapshot is None or done.rows != partition.rows:
        raise BrokenReport(f"the child scored {done.rows} rows; expected {partition.rows if partition else 0}")
    LabelSet.objects.create(
        tenant_id=partition.tenant_id,
        partition=partition,
        partition_start=partition.start,
        snapshot=snapshot,
        watermark=snapshot.watermark,
        tasks=sorted(done.sums),
        rows=done.rows,
        **for_storage(done.labels),
    )
    totals = {
        task: {name: sum(getattr(sums, name)) for name in ("n", "y", "loss", "p")} for task, sums in done.sums.items()
    }
    return {"rows": done.rows, "seconds": _total(done.seconds), "sums": totals}


def _period(run: Run, claim: WorkClaim, done: events.FmDone) -> dict[str, Any]:
    """fm.train: checkpoint, consumption of the manifest, the candidate, and the gate's decision on it."""
    lineage = claim.lineage
    entries = list(claim.manifest.select_related("partition").order_by("partition__start"))
    if lineage is None or claim.period_end is None or not entries:
        raise BrokenReport("the claim has no manifest")
    watermark = events.parse_instant(done.watermark)
    newest = max(entry.partition.end for entry in entries)
    if watermark < newest or watermark > claim.period_end:
        raise BrokenReport(f"the child reports the watermark {done.watermark}; its manifest ends {newest.isoformat()}")
    gate = {"decision": done.gate.decision, "reason": done.gate.reason, "heads": [_head(h) for h in done.gate.heads]}
    result = {
        "rows": done.rows,
        "heldback": done.heldback,
        "partitions": len(entries),
        "seconds": _total(done.seconds),
        "decision": done.gate.decision,
    }
    if done.gate.decision == "corrupt":
        # Its partitions stay unconsumed: the new lineage starts at the last good checkpoint and consumes them again.
        abandon_lineage(lineage=lineage)
        return result
    checkpoint = _advance(lineage, done.checkpoint, watermark, None)
    for entry in entries:
        Consumption.objects.create(
            tenant_id=entry.tenant_id, lineage=lineage, partition=entry.partition, claim=claim, checkpoint=checkpoint
        )
    assert lineage.foundation_version_id is not None  # noqa: S101 - a constraint of the table
    candidate = Snapshot.objects.create(
        foundation_version_id=lineage.foundation_version_id,
        lineage=lineage,
        watermark=watermark,
        **for_storage(done.snapshot),
    )
    decide = publish_snapshot if done.gate.decision == "publish" else reject_snapshot
    decide(snapshot=candidate, gate=gate)
    return result


def _head(verdict: events.HeadVerdict) -> dict[str, Any]:
    names = ("tenant_slot", "task", "n", "ne_candidate", "ne_current", "calibration", "regressed")
    return {name: getattr(verdict, name) for name in names}


def _advance(lineage: Lineage, file: events.File, position: datetime, tenant_id: Any) -> Checkpoint:
    """Store the checkpoint and move the lineage's head to it."""
    checkpoint = Checkpoint.objects.create(tenant_id=tenant_id, lineage=lineage, position=position, **for_storage(file))
    Lineage.objects.filter(id=lineage.id).update(head=checkpoint)
    return checkpoint


def _sums(
    partition: Partition,
    lineage: Lineage,
    scope: MetricSums.Scope,
    sums: events.Sums,
    *,
    auc: float | None = None,
    histogram: bytes | None = None,
) -> None:
    MetricSums.objects.create(
        tenant_id=partition.tenant_id,
        lineage=lineage,
        partition=partition,
        scope=scope,
        n=list(sums.n),
        y=list(sums.y),
        loss=list(sums.loss),
        p=list(sums.p),
        auc=auc,
        histogram=histogram,
    )


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise BrokenReport("a histogram is not base64") from error


def _total(seconds: dict[str, float]) -> float:
    return seconds.get("total", sum(seconds.values()))


def _settle(run: Run, lease: Lease, claim: WorkClaim, done: events.Done, now: datetime) -> None:
    """Charge the time held since the last settlement; the control arm's share, by measured seconds, is measurement."""
    attempt = Attempt.objects.select_for_update().get(id=lease.attempt_id)
    held = unsettled_seconds(attempt, now)
    lines = {LINE[run.kind]: held}
    if isinstance(done, events.VmDone):
        control = done.arms[Arm.CONTROL].seconds if Arm.CONTROL in done.arms else 0.0
        treatment = done.arms[Arm.TREATMENT].seconds if Arm.TREATMENT in done.arms else 0.0
        # A model without a teacher has one arm, which is its product and no measurement.
        if control + treatment > 0 and Arm.TREATMENT in done.arms:
            measurement = held * control / (control + treatment)
            lines = {"training": held - measurement, "measurement": measurement}
    accounting().settle(run=run, attempt=attempt, claim=claim, held=Held(lines))
    Attempt.objects.filter(id=attempt.id).update(settled_at=now)
