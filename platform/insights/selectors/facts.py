"""What a tenant's first page counts and lists beside its models, in one statement."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from budgets.models import Quota
from budgets.selectors import SPENT, Spend, spend_of
from catalog.models import Partition
from catalog.selectors import STORAGE_USED
from runs.models import HELD_STATES, State
from tenancy.questions import Question

RECENT = timedelta(days=7)
CLIPPED = 0.01
"""Share of a model's labels that label scaling cuts, above which it needs a hand."""

SHOWN = 3
"""Failed runs and rejected partitions that are named."""


@dataclass(frozen=True)
class FailedRun:
    """A run that failed lately; `owner` is its model's name, or its kind."""

    id: uuid.UUID
    owner: str
    why: str


@dataclass(frozen=True)
class RejectedPartition:
    """A partition that was rejected lately and that no other has taken the place of."""

    stream: str
    start: datetime
    why: str


@dataclass(frozen=True)
class Used:
    """How much of a quota is in use."""

    used: int
    limit: int


@dataclass(frozen=True)
class Facts:
    """`held_runs` are those that hold a place; `exhausted`: a run waits for money.

    `watched`: id, as text -> name of the models that may need a hand. Their kept figures say so, or they have none yet.
    """

    spend: Spend
    held_runs: Used
    models: Used
    storage_bytes: Used
    exhausted: bool
    failed: list[FailedRun]
    rejected: list[RejectedPartition]
    watched: dict[str, str]


_FACTS = f"""
    SELECT
        (SELECT count(*) FROM runs_run WHERE tenant_id = t.id AND state = ANY(%(held)s)),
        q.concurrent_runs,
        m.number,
        q.models_limit,
        ({STORAGE_USED}),
        q.storage_bytes,
        EXISTS (SELECT FROM runs_run WHERE tenant_id = t.id AND state = %(queued)s AND reason_code = %(poor)s),
        ARRAY(
            SELECT ARRAY[r.id::text, coalesce(m.name, r.kind), coalesce(nullif(r.reason_message, ''), r.reason_code)]
            FROM runs_run r LEFT JOIN registry_verticalmodel m ON m.id = r.model_id
            WHERE r.tenant_id = t.id AND r.state = %(failed)s AND r.finished_at >= %(since)s
            ORDER BY r.finished_at DESC LIMIT %(shown)s
        ),
        ARRAY(
            SELECT ARRAY[s.name, p.start::text, p.problems -> 0 ->> 'message']
            FROM catalog_partition p JOIN catalog_stream s ON s.id = p.stream_id
            WHERE p.tenant_id = t.id AND p.state = %(bad)s AND p.created_at >= %(since)s AND NOT EXISTS (
                SELECT FROM catalog_partition o WHERE o.stream_id = p.stream_id
                    AND o.start < p."end" AND o."end" > p.start AND o.state <> %(bad)s
            )
            ORDER BY p.created_at DESC LIMIT %(shown)s
        ),
        m.watched,
        b.*
    FROM (SELECT %(tenant)s::uuid AS id) t
    LEFT JOIN budgets_quota q ON q.tenant_id = t.id
    LEFT JOIN LATERAL ({SPENT}) b ON true
    CROSS JOIN LATERAL (
        SELECT count(*) AS number, array_agg(ARRAY[m.id::text, m.name]) FILTER (
            WHERE f.lift_high < 0 OR f.clipped_share > %(clipped)s OR f.id IS NULL AND EXISTS (
                SELECT FROM registry_modelversion v JOIN registry_lineage l ON l.model_version_id = v.id
                WHERE v.model_id = m.id AND l.head_id IS NOT NULL
            )
        ) AS watched
        FROM registry_verticalmodel m LEFT JOIN insights_modelfigures f ON f.model_id = m.id AND f.tenant_id = t.id
        WHERE m.tenant_id = t.id
    ) m
"""  # noqa: S608
"""Written out: to compose it anew for each request would take longer than to answer it."""


def facts_question(*, tenant_id: uuid.UUID, now: datetime) -> Question:
    """Ask for the facts of the tenant in scope; `facts` reads the answer."""
    asked: dict[str, Any] = {
        "tenant": tenant_id,
        "now": now,
        "held": list(HELD_STATES),
        "bad": Partition.State.REJECTED,
        "queued": State.QUEUED,
        "failed": State.FAILED,
        "poor": "budget_exhausted",
        "since": now - RECENT,
        "shown": SHOWN,
        "clipped": CLIPPED,
    }
    return Question(_FACTS, asked, fixed=True)


def facts(answer: Sequence[tuple[Any, ...]], *, now: datetime) -> Facts:
    """Return the facts; see `facts_question`."""
    held, runs, models, most, stored, room, exhausted, failed, rejected, watched, *money = answer[0]
    quota = Quota() if runs is None else Quota(concurrent_runs=runs, models_limit=most, storage_bytes=room)
    return Facts(
        spend_of(money if money[0] else None, now=now),
        Used(held, quota.concurrent_runs),
        Used(models, quota.models_limit),
        Used(stored, quota.storage_bytes),
        exhausted,
        [FailedRun(uuid.UUID(run), owner, why) for run, owner, why in failed],
        [
            RejectedPartition(stream, datetime.fromisoformat(start), why or "it does not fit the schema")
            for stream, start, why in rejected
        ],
        dict(watched or ()),
    )
