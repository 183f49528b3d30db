"""The shared teacher as a tenant sees it: snapshots, the gate's figures on its own users, its share of the cost."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from budgets import allocation
from budgets.money import ZERO
from exfm_core.spec import Feature
from registry import selectors as registry
from registry.models import Binding, FoundationModel, GateResult, Snapshot

MOST = 200


@dataclass(frozen=True)
class Head:
    """The gate's comparison on held-back users of one tenant for one task; `tenant` None: of all tenants together."""

    task: str
    n: int
    ne_candidate: float | None
    ne_current: float | None
    calibration: float | None
    tenant: str | None = None


@dataclass(frozen=True)
class Gate:
    """What the gate decided, why, and on which figures (those in scope)."""

    decision: str
    reason: str
    heads: list[Head]


@dataclass(frozen=True)
class SnapshotRow:
    """A snapshot of the foundation model."""

    id: uuid.UUID
    state: str
    watermark: datetime
    published_at: datetime | None
    gate: Gate


@dataclass(frozen=True)
class Foundation:
    """The foundation model that teaches the tenant, or that could. `cost_share` is the tenant's, to date.

    `catalogue` holds the features that a stream can map to, `task_kinds` the heads that can teach.
    """

    id: uuid.UUID | None
    name: str | None
    catalogue: tuple[Feature, ...]
    task_kinds: tuple[str, ...]
    bound: bool
    snapshot: SnapshotRow | None
    snapshots: list[SnapshotRow]
    cost_share: Decimal


def foundation(*, tenant_id: uuid.UUID) -> Foundation:
    """Return the foundation model that the tenant's newest binding names, else the newest one in use, unbound."""
    binding = Binding.objects.select_related("foundation_model").filter(ended_at=None).order_by("-created_at").first()
    teacher = (
        binding.foundation_model
        if binding
        else FoundationModel.objects.filter(is_active=True).order_by("-created_at").first()
    )
    if teacher is None:
        return Foundation(None, None, (), (), False, None, [], ZERO)
    rows = snapshot_rows(foundation_model=teacher)
    current = next((row for row in rows if row.id == teacher.published_id), None)
    share = allocation.shares_to_date(foundation_model=teacher).get(tenant_id, ZERO)
    model = registry.foundation_spec_of(registry.foundation_version(foundation_model_id=teacher.id)).model
    return Foundation(
        teacher.id, teacher.name, model.features, model.task_kinds, binding is not None, current, rows, share
    )


def snapshot_rows(*, foundation_model: FoundationModel, most: int | None = MOST) -> list[SnapshotRow]:
    """Return the newest snapshots, newest first, with the gate's figures in scope."""
    rows = list(registry.snapshots(foundation_model_id=foundation_model.id).reverse()[:most])
    results = registry.gate_results(snapshot_ids=[row.id for row in rows])
    return [_row(row, results.get(row.id, [])) for row in rows]


def _row(snapshot: Snapshot, results: list[GateResult]) -> SnapshotRow:
    kept = snapshot.gate
    pooled = [
        Head(head["task"], int(head["n"]), head.get("ne_candidate"), head.get("ne_current"), head.get("calibration"))
        for head in kept.get("pooled", [])
    ]
    heads = [Head(r.task, r.rows, r.ne_candidate, r.ne_current, r.calibration, r.tenant.slug) for r in results]
    gate = Gate(str(kept.get("decision", "")), str(kept.get("reason", "")), pooled + heads)
    return SnapshotRow(snapshot.id, snapshot.state, snapshot.watermark, snapshot.published_at, gate)
