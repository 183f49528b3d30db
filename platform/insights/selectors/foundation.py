"""The shared teacher as a tenant sees it: snapshots, the gate's figures on its own users, its share of the cost."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from budgets import allocation
from budgets.money import ZERO
from exfm_core.spec import Feature, FoundationSpec
from registry.models import FoundationModel
from tenancy.questions import Question, ask
from tenancy.scope import current_scope, owned

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


NONE = Foundation(None, None, (), (), False, None, [], ZERO)
"""Where no foundation model is in use."""

_SNAPSHOTS = """
    SELECT jsonb_build_object(
        'id', s.id, 'state', s.state, 'watermark', s.watermark, 'published_at', s.published_at, 'kept', s.gate,
        'results', (
            SELECT coalesce(jsonb_agg(jsonb_build_object(
                'task', g.task, 'n', g.rows, 'ne_candidate', g.ne_candidate, 'ne_current', g.ne_current,
                'calibration', g.calibration, 'tenant', t.slug) ORDER BY g.tenant_id, g.task), '[]')
            FROM registry_gateresult g JOIN tenancy_tenant t ON t.id = g.tenant_id
            WHERE g.snapshot_id = s.id AND {owned}
        ))
    FROM registry_snapshot s JOIN registry_foundationversion v ON v.id = s.foundation_version_id
    WHERE v.model_id = {model} ORDER BY s.watermark DESC, s.id DESC LIMIT %(most)s
"""
"""A foundation model's snapshots, newest first, with the gate's figures in scope."""

_OF_ONE = _SNAPSHOTS.format(model="%(model)s", owned="{owned}")
_OF_TENANT = _SNAPSHOTS.format(model="m.id", owned="g.tenant_id = %(tenant)s")
_FOUNDATION = f"""
    SELECT m.id, m.name, m.published_id, v.id, v.spec::text, n.bound IS NOT NULL, ARRAY({_OF_TENANT})
    FROM (SELECT
        (SELECT foundation_model_id FROM registry_binding WHERE tenant_id = %(tenant)s AND ended_at IS NULL
         ORDER BY created_at DESC LIMIT 1) AS bound,
        (SELECT id FROM registry_foundationmodel WHERE is_active ORDER BY created_at DESC LIMIT 1) AS in_use
    ) n
    JOIN registry_foundationmodel m ON m.id = coalesce(n.bound, n.in_use)
    JOIN LATERAL (
        SELECT id, spec FROM registry_foundationversion WHERE model_id = m.id ORDER BY number DESC LIMIT 1
    ) v ON true
"""  # noqa: S608


def foundation(*, tenant_id: uuid.UUID) -> Foundation:
    """Return the foundation model that the tenant's newest binding names, else the newest one in use, unbound."""
    (answer,) = ask(foundation_question(tenant_id=tenant_id))
    return foundation_of(answer, tenant_id=tenant_id, owed=allocation.owed_to_date())


def foundation_question(*, tenant_id: uuid.UUID) -> Question:
    """Ask for the tenant's foundation model; `foundation_of` reads the answer."""
    return Question(_FOUNDATION, {"tenant": tenant_id, "most": MOST}, fixed=True)


def foundation_of(answer: Sequence[tuple[Any, ...]], *, tenant_id: uuid.UUID, owed: allocation.Owed) -> Foundation:
    """Return the foundation model; see `foundation_question`. `owed`: what the tenant owes to date."""
    if not answer:
        return NONE
    teacher, name, published, version, spec, bound, snapshots = answer[0]
    rows = [_row(**json.loads(row)) for row in snapshots]
    current = next((row for row in rows if row.id == published), None)
    share = owed.get((teacher, tenant_id), ZERO)
    return Foundation(teacher, name, *_taught(version, spec), bound, current, rows, share)


_known: dict[uuid.UUID, tuple[tuple[Feature, ...], tuple[str, ...]]] = {}
"""Catalogue and kinds of tasks of every version seen: a version never changes."""


def _taught(version_id: uuid.UUID, spec: str) -> tuple[tuple[Feature, ...], tuple[str, ...]]:
    if version_id not in _known:
        model = FoundationSpec.from_json(json.loads(spec)).model
        _known[version_id] = model.features, model.task_kinds
    return _known[version_id]


def snapshot_rows(*, foundation_model: FoundationModel) -> list[SnapshotRow]:
    """Return all snapshots, newest first, with the gate's figures in scope."""
    with connection.cursor() as cursor:
        asked = {"model": foundation_model.id, "tenant": current_scope().tenant_id, "most": None}
        cursor.execute(_OF_ONE.format(owned=owned("g.tenant_id")), asked)
        return [_row(**json.loads(row)) for (row,) in cursor.fetchall()]


def _row(
    *,
    id: str,
    state: str,
    watermark: str,
    published_at: str | None,
    kept: dict[str, Any],
    results: list[dict[str, Any]],
) -> SnapshotRow:
    pooled = [
        Head(head["task"], int(head["n"]), head.get("ne_candidate"), head.get("ne_current"), head.get("calibration"))
        for head in kept.get("pooled", [])
    ]
    heads = [Head(**result) for result in results]
    gate = Gate(str(kept.get("decision", "")), str(kept.get("reason", "")), pooled + heads)
    published = datetime.fromisoformat(published_at) if published_at else None
    return SnapshotRow(uuid.UUID(id), state, datetime.fromisoformat(watermark), published, gate)
