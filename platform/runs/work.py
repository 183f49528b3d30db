"""A claim in the words of the child protocol: what `start` and `work` say. No database writes, no secrets."""

from datetime import datetime
from typing import Any, Final

from django.conf import settings

from catalog.models import Partition
from exfm_core import events
from registry.models import Lineage
from registry.selectors import active_foundation_lineage, slot_of
from runs.leases import Lease
from runs.models import Kind, Run, WorkClaim
from runs.supervision import task_kind
from runs.units import arms_of, primary_of

PROGRESS_SECONDS: Final = 0.5


def start_command(*, run: Run, lease: Lease) -> events.Start:
    """Return the first command of an attempt: it goes on from the last committed checkpoints."""
    common: dict[str, Any] = {
        "job": run.kind,
        "run": str(run.id),
        "attempt": lease.number,
        "storage": str(settings.STORAGE_URL),
        "prefix": f"runs/{run.id}/{lease.number}",
        "threads": run.threads,
        "progress_every": PROGRESS_SECONDS,
    }
    if run.kind == Kind.VM_TRAIN:
        assert run.model is not None  # noqa: S101 - by kind
        lineages = arms_of(run.model_id)
        version = primary_of(lineages).model_version
        assert version is not None  # noqa: S101 - a constraint of the table
        arms = tuple(arm for arm in events.ARMS if arm in lineages)
        return events.Start(
            **common,
            spec=version.spec,
            schema=run.model.stream.schema,
            arms=arms,
            resume={arm: _resume(lineages[arm]) for arm in arms},
        )
    if run.kind == Kind.FM_TRAIN:
        assert run.foundation_model_id is not None  # noqa: S101 - by kind
        lineage = active_foundation_lineage(foundation_model_id=run.foundation_model_id)
        assert lineage.foundation_version is not None  # noqa: S101 - a constraint of the table
        return events.Start(**common, spec=lineage.foundation_version.spec, resume={"fm": _resume(lineage)})
    return events.Start(**common)


def work_command(*, claim: WorkClaim, seq: int) -> events.Work:
    """Return the `work` command of a claim."""
    if claim.kind == Kind.VM_TRAIN:
        return _lesson(claim, seq)
    if claim.kind == Kind.DAS_SCORE:
        assert claim.partition is not None and claim.snapshot is not None  # noqa: S101 - a trigger of the table
        model_id = claim.snapshot.foundation_version.model_id
        return events.DasWork(
            seq=seq,
            partition=_for_foundation(claim.partition, model_id),
            snapshot=events.ScoringSnapshot(
                id=str(claim.snapshot.id), file=_file(claim.snapshot), watermark=_iso(claim.snapshot.watermark)
            ),
        )
    return _period(claim, seq)


def _lesson(claim: WorkClaim, seq: int) -> events.VmWork:
    partition, label_set, model = claim.partition, claim.label_set, claim.run.model
    assert partition is not None and model is not None  # noqa: S101 - a trigger of the table
    labels = None
    if label_set is not None:
        version = claim.lineage.model_version if claim.lineage else None
        assert version is not None  # noqa: S101 - a trigger of the table
        labels = events.Labels(
            file=_file(label_set),
            snapshot=str(label_set.snapshot_id),
            watermark=_iso(label_set.watermark),
            task=task_kind(model, version),
        )
    return events.VmWork(
        seq=seq,
        partition=events.Partition(
            id=str(partition.id),
            file=_file(partition),
            rows=partition.rows or 0,
            start=_iso(partition.start),
            end=_iso(partition.end),
        ),
        labels=labels,
        gate="open" if claim.gate == WorkClaim.Gate.OPEN else "shut",
    )


def _period(claim: WorkClaim, seq: int) -> events.FmWork:
    assert claim.period_start and claim.period_end and claim.run.foundation_model  # noqa: S101 - by kind
    model = claim.run.foundation_model
    entries = claim.manifest.select_related("partition__stream").order_by("partition__start", "partition__stream_id")
    limits = model.gate or {}
    return events.FmWork(
        seq=seq,
        period=events.Period(start=_iso(claim.period_start), end=_iso(claim.period_end)),
        partitions=tuple(_for_foundation(entry.partition, model.id) for entry in entries),
        current=events.FmCurrent(id=str(claim.snapshot.id), file=_file(claim.snapshot)) if claim.snapshot else None,
        gate=events.GateLimits(
            tolerance=float(limits.get("tolerance", 0.02)),
            calibration=tuple(float(x) for x in limits.get("calibration", (0.8, 1.25))),
        ),
    )


def _for_foundation(partition: Partition, foundation_model_id: Any) -> events.FmPartition:
    return events.FmPartition(
        id=str(partition.id),
        tenant_slot=slot_of(foundation_model_id=foundation_model_id, tenant_id=partition.tenant_id) or 0,
        schema=partition.stream.schema,
        file=_file(partition),
        rows=partition.rows or 0,
        start=_iso(partition.start),
        end=_iso(partition.end),
    )


def _resume(lineage: Lineage) -> events.File | None:
    checkpoint = lineage.head or lineage.parent_checkpoint
    return _file(checkpoint) if checkpoint else None


def _file(row: Any) -> events.File:
    """The file of a Partition, LabelSet, Snapshot or Checkpoint."""
    return events.File(uri=row.uri, sha256=row.sha256, bytes=row.bytes)


def for_storage(file: events.File) -> dict[str, Any]:
    """Return a reported file as columns of the row that keeps it."""
    return {"uri": file.uri, "sha256": file.sha256, "bytes": file.bytes}


def _iso(moment: datetime) -> str:
    return moment.isoformat()
