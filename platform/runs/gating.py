"""The label gate for one partition: `exfm_core.metrics.label_gate` is the rule, committed sums are its history.

A model's first covered partition has no history of its own. *safe* is then open if the foundation model passed for
another of the tenant's models, and both presets are by the raw label's own evaluation: the snapshot, on that tenant's
held-back users (on whom no FM trains), had NE <= 0.95 over at least 200 rows, and for *strong* was calibrated. That
opens partitions without history only; it is not a pass. Where the publishing gate found the snapshot worse on those
users, the gate stays shut for that tenant's partitions alone.
"""

import uuid
from dataclasses import dataclass, replace
from typing import Any

from exfm_core.metrics.label_gate import WINDOW, GateHistory, RawLabel, label_gate
from exfm_core.spec import Supervision
from registry.models import Arm, FoundationModel, GateResult, LabelSet, Lineage
from runs.models import Kind, MetricSums, WorkClaim

OPEN, SHUT = WorkClaim.Gate.OPEN, WorkClaim.Gate.SHUT


@dataclass(frozen=True)
class Position:
    """Where the gate stands for one partition, and everything that decided it."""

    gate: WorkClaim.Gate
    evidence: dict[str, Any]


def decide(supervision: Supervision, history: GateHistory, raw: RawLabel) -> Position:
    """Return the gate's position and its evidence. A pure function."""
    ratio = history.ratio
    evidence = {
        "rule": "strong" if supervision.same_task_only else "safe",
        "ratio": ratio,
        "label_ne": history.label_ne,
        "rows": sum(history.rows),
        "partitions": len(history.rows),
        "was_open": history.is_open,
        "passed": history.passes,
        "passed_before": history.ever_passed,
        "raw_ne": raw.ne,
        "raw_rows": raw.rows,
        "regressed": raw.regressed,
    }
    return Position(OPEN if label_gate(history, supervision, raw) else SHUT, evidence)


def position(
    *, supervision: Supervision, lineages: dict[str, Lineage], label_set: LabelSet, teacher: FoundationModel, task: str
) -> Position:
    """Return the gate for the next partition of a supervised model. `lineages` by arm, `task` = the FM's head."""
    treatment = lineages[Arm.TREATMENT]
    passed_before = _passed_before(label_set.tenant_id, teacher.id, task)
    history = _history(treatment, lineages.get(Arm.CONTROL, treatment), passed_before)
    held_back = GateResult.objects.filter(snapshot_id=label_set.snapshot_id, tenant_id=label_set.tenant_id, task=task)
    found = held_back.first()
    raw = RawLabel(found.ne_candidate, found.rows, found.calibration, found.regressed) if found else RawLabel()
    place = decide(supervision, history, raw)
    return Position(place.gate, {**place.evidence, "foundation_model": str(teacher.id), "task": task})


def _history(treatment: Lineage, rival: Lineage, passed_before: bool) -> GateHistory:
    """Sums of the calibrated label against the control's (the treatment's own where no control runs), same rows."""
    labels = MetricSums.objects.filter(lineage=treatment, scope=MetricSums.Scope.LABEL).select_related("partition")
    newest = sorted(labels.order_by("-partition__start")[:WINDOW], key=lambda row: row.partition.start)
    rivals = MetricSums.objects.filter(
        lineage=rival, scope=MetricSums.Scope.COVERED, partition_id__in=[row.partition_id for row in newest]
    )
    rival_loss = {row.partition_id: sum(row.loss) for row in rivals}
    both = [row for row in newest if row.partition_id in rival_loss and sum(row.n) > 0]
    pairs = [(sum(row.n), sum(row.loss), rival_loss[row.partition_id], sum(row.y)) for row in both]
    claims = WorkClaim.objects.filter(kind=Kind.VM_TRAIN, lineage=treatment, label_set__isnull=False)
    last = claims.order_by("-created_at").first()
    history = GateHistory(
        rows=tuple(pair[0] for pair in pairs),
        label_loss=tuple(pair[1] for pair in pairs),
        control_loss=tuple(pair[2] for pair in pairs),
        is_open=last is not None and last.gate == OPEN,
        ever_passed=passed_before,
        positives=tuple(pair[3] for pair in pairs),
    )
    return replace(history, ever_passed=history.ever_passed or history.passes)


def _passed_before(tenant_id: uuid.UUID, teacher_id: uuid.UUID, task: str) -> bool:
    """Whether the FM has passed on this tenant and task, whichever of the tenant's models saw it."""
    return WorkClaim.objects.filter(
        tenant_id=tenant_id,
        kind=Kind.VM_TRAIN,
        gate_evidence__passed=True,
        gate_evidence__foundation_model=str(teacher_id),
        gate_evidence__task=task,
    ).exists()
