"""The label gate for one partition: `exfm_core.metrics.label_gate` is the rule, committed sums are its history.

A model's first covered partition has no history of its own. *strong* then stays shut: the adapter learns while masked,
and its first progressive sums decide the next partition. *safe*, which is masked only until the foundation model has
passed once on that tenant and task, is open if it passed for another of the tenant's models, or else by the raw label's
own evaluation: the snapshot, on that tenant's held-back users (on whom no FM trains), had NE <= 0.95 over at least 200
rows. That opens partitions without history only; it is not a pass.
"""

import uuid
from dataclasses import dataclass
from typing import Any, Final

from exfm_core.metrics.label_gate import OPENS_BELOW, WINDOW, GateHistory, label_gate
from exfm_core.spec import Supervision
from registry.models import Arm, FoundationModel, GateResult, LabelSet, Lineage
from runs.models import Kind, MetricSums, WorkClaim

FIRST_NE: Final = 0.95
FIRST_ROWS: Final = 200

OPEN, SHUT = WorkClaim.Gate.OPEN, WorkClaim.Gate.SHUT


@dataclass(frozen=True)
class Position:
    """Where the gate stands for one partition, and everything that decided it."""

    gate: WorkClaim.Gate
    evidence: dict[str, Any]


@dataclass(frozen=True)
class RawLabel:
    """The snapshot's publication gate on the tenant's held-back users, for one task."""

    ne: float | None
    rows: int

    @property
    def good(self) -> bool:
        """Whether the raw label clearly knows something."""
        return self.ne is not None and self.ne <= FIRST_NE and self.rows >= FIRST_ROWS


def decide(supervision: Supervision, history: GateHistory, raw: RawLabel) -> Position:
    """Return the gate's position and its evidence. A pure function."""
    ratio = history.ratio
    begins = not supervision.same_task_only and not history.rows and raw.good
    evidence = {
        "rule": "strong" if supervision.same_task_only else "safe",
        "ratio": ratio,
        "rows": sum(history.rows),
        "partitions": len(history.rows),
        "was_open": history.is_open,
        "passed": ratio is not None and ratio < OPENS_BELOW,
        "passed_before": history.ever_passed,
        "raw_ne": raw.ne,
        "raw_rows": raw.rows,
    }
    return Position(OPEN if begins or label_gate(history, supervision) else SHUT, evidence)


def position(
    *, supervision: Supervision, lineages: dict[str, Lineage], label_set: LabelSet, teacher: FoundationModel, task: str
) -> Position:
    """Return the gate for the next partition of a supervised model. `lineages` by arm, `task` = the FM's head."""
    treatment = lineages[Arm.TREATMENT]
    passed_before = _passed_before(label_set.tenant_id, teacher.id, task)
    history = _history(treatment, lineages.get(Arm.CONTROL, treatment), passed_before)
    held_back = GateResult.objects.filter(snapshot_id=label_set.snapshot_id, tenant_id=label_set.tenant_id, task=task)
    found = held_back.first()
    place = decide(supervision, history, RawLabel(found.ne_candidate if found else None, found.rows if found else 0))
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
    pairs = [(sum(row.n), sum(row.loss), rival_loss[row.partition_id]) for row in both]
    claims = WorkClaim.objects.filter(kind=Kind.VM_TRAIN, lineage=treatment, label_set__isnull=False)
    last = claims.order_by("-created_at").first()
    history = GateHistory(
        rows=tuple(pair[0] for pair in pairs),
        label_loss=tuple(pair[1] for pair in pairs),
        control_loss=tuple(pair[2] for pair in pairs),
        is_open=last is not None and last.gate == OPEN,
        ever_passed=passed_before,
    )
    ratio = history.ratio
    if ratio is not None and ratio < OPENS_BELOW and not history.ever_passed:
        return GateHistory(history.rows, history.label_loss, history.control_loss, history.is_open, ever_passed=True)
    return history


def _passed_before(tenant_id: uuid.UUID, teacher_id: uuid.UUID, task: str) -> bool:
    """Whether the FM has passed on this tenant and task, whichever of the tenant's models saw it."""
    return WorkClaim.objects.filter(
        tenant_id=tenant_id,
        kind=Kind.VM_TRAIN,
        gate_evidence__passed=True,
        gate_evidence__foundation_model=str(teacher_id),
        gate_evidence__task=task,
    ).exists()
