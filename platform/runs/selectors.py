"""Reads of runs as the API, the event stream and the pages show them. Every function needs a scope."""

import threading
import uuid
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import orjson
from django.db import connection
from django.db.models import QuerySet, Sum
from django.utils import timezone

from exfm_core.metrics.sums import BucketSums, normalized_entropy
from runs.accounting import accounting
from runs.dispatch import SEEN_WITHIN
from runs.errors import not_found
from runs.models import HELD_STATES, OPEN_STATES, MetricSums, Run, State, WorkerNode
from tenancy.lists import ReadList
from tenancy.questions import Question, ask
from tenancy.scope import current_scope

PARTITIONS_SHOWN = 200
ENTROPIES_KEPT = 50_000


def runs() -> QuerySet[Run]:
    """Return the runs in scope, newest first; `runs.filters` narrows them down."""
    return Run.objects.select_related("model", "foundation_model").order_by("-id")


def has_open_run(model_id: uuid.UUID) -> bool:
    """Tell whether a run of the model has not ended."""
    return Run.objects.filter(model_id=model_id, state__in=OPEN_STATES).exists()


class CardRow(NamedTuple):
    """What a card shows of a run: ids and money as text, `waiting` (of a queued run) and `progress` as JSON."""

    id: str
    kind: str
    state: str
    reason_code: str
    reason_message: str
    waiting: str | None
    progress: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    stop_requested_at: datetime | None
    model_id: str | None
    model: str | None
    foundation_model_id: str | None
    foundation_model: str | None
    spent: str
    measurement: str
    reserved: str


_CARDS = """
    SELECT r.id::text, r.kind, r.state, r.reason_code, r.reason_message, CASE WHEN r.state = %s THEN r.waiting END,
        nullif(r.progress, '{{}}'), r.created_at, r.started_at, r.finished_at, r.stop_requested_at,
        r.model_id::text, m.name, r.foundation_model_id::text, f.name,
        c.spent::text, c.measurement::text, c.reserved::text
    FROM unnest({asked}) WITH ORDINALITY AS asked (id, place)
    JOIN runs_run r ON r.id = asked.id
    LEFT JOIN registry_verticalmodel m ON m.id = r.model_id
    LEFT JOIN registry_foundationmodel f ON f.id = r.foundation_model_id
    CROSS JOIN LATERAL ({cost}) c
    WHERE {owned}
    ORDER BY asked.place
"""
"""Written out around the runs that are asked for: to compose it for each page takes longer than to answer it."""


def _read(asked: str, parameters: Sequence[Any]) -> list[CardRow]:
    (rows,) = ask(_question(asked, parameters))
    return [CardRow._make(row) for row in rows]


def _question(asked: str, parameters: Sequence[Any], *, fixed: bool = False) -> Question:
    owned, tenant = _owned("r.tenant_id")
    statement = _CARDS.format(asked=asked, cost=accounting().cost_of_run().statement, owned=owned)
    return Question(statement, [State.QUEUED, *parameters, *tenant], fixed)


def _owned(column: str) -> tuple[str, list[uuid.UUID]]:
    """Return the condition that holds a column to the tenant in scope, and its value; see `tenancy.scope.owned`."""
    tenant = current_scope().tenant_id
    return ("true", []) if tenant is None else (f"{column} = %s", [tenant])


def card_rows(rows: QuerySet[Run]) -> ReadList[CardRow]:
    """Return the runs as the rows of cards, to be sliced and then given to `cards` or `card_list`."""
    return ReadList(rows, lambda statement, values: _read(f"ARRAY({statement})", values))


def run_card(run_id: uuid.UUID) -> dict[str, Any] | None:
    """Return one run's card, or None if the scope sees no such run."""
    return next(iter(cards(_one(run_id))), None)


_NEWEST = "ARRAY(SELECT id FROM runs_run WHERE {owned} ORDER BY id DESC LIMIT %s)"


def newest_question(most: int) -> Question:
    """Ask for the newest runs in scope; `newest` reads the answer."""
    owned, tenant = _owned("tenant_id")
    return _question(_NEWEST.format(owned=owned), [*tenant, most], fixed=True)


def newest(answer: Iterable[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """Return the cards of the newest runs as JSON has them; see `newest_question`."""
    return cards(CardRow._make(row) for row in answer)


def _one(run_id: uuid.UUID) -> list[CardRow]:
    return _read("ARRAY[%s]::uuid[]", [run_id])


def cards(rows: Iterable[CardRow]) -> list[dict[str, Any]]:
    """Return the cards of runs as JSON has them, times as text."""
    found: list[dict[str, Any]] = orjson.loads(orjson.dumps(_cards(rows)))
    return found


def card_list(rows: Iterable[CardRow]) -> orjson.Fragment:
    """Return the cards of runs as JSON."""
    return orjson.Fragment(orjson.dumps(_cards(rows)))


def _cards(rows: Iterable[CardRow]) -> list[dict[str, Any]]:
    """Return state with its reason, place in the queue, progress and cost of runs."""
    unit = accounting().cost_of_run().currency
    return [_card(row, unit) for row in rows]


def _card(row: CardRow, currency: str) -> dict[str, Any]:
    waiting = orjson.loads(row.waiting) if row.waiting else {}
    model, foundation_model = row.model_id, row.foundation_model_id
    return {
        "id": row.id,
        "kind": row.kind,
        "state": row.state,
        "reason": {"code": row.reason_code, "message": row.reason_message} if row.reason_code else None,
        "model": {"id": model, "name": row.model} if model else None,
        "foundation_model": {"id": foundation_model, "name": row.foundation_model} if foundation_model else None,
        "position": waiting.get("position"),
        "holders": waiting.get("holders", []),
        "created_at": row.created_at,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
        "stop_requested_at": row.stop_requested_at,
        "progress": orjson.Fragment(row.progress) if row.progress else None,
        "cost": {
            "spent": row.spent,
            "measurement": row.measurement,
            "reserved": row.reserved,
            "currency": currency,
        },
    }


_ATTEMPTS = """
    SELECT number, state, started_at, finished_at, fault, code, message, mend, exit_code, log_tail
    FROM runs_attempt WHERE run_id = %s ORDER BY number
"""


def run_detail(*, run_id: uuid.UUID) -> orjson.Fragment:
    """Return a run with its attempts, partitions and the log's tail, as JSON. Raises NotFound."""
    card = next(iter(_cards(_one(run_id))), None)
    if card is None:
        raise not_found()
    with connection.cursor() as cursor:
        cursor.execute(_ATTEMPTS, [run_id])
        attempts = cursor.fetchall()
    detail = card | {
        "attempts": [
            {
                "n": number,
                "state": state,
                "started_at": started,
                "finished_at": finished,
                "fault": fault,
                "code": code,
                "message": message,
                "mend": mend,
                "exit": exit_code,
            }
            for number, state, started, finished, fault, code, message, mend, exit_code, _ in attempts
        ],
        "partitions": _partitions(run_id),
        "log": attempts[-1][-1].splitlines() if attempts else [],
    }
    return orjson.Fragment(orjson.dumps(detail))


_UNITS = """
    SELECT c.id::text, c.partition_id::text, coalesce(p.start, c.period_start), coalesce(p."end", c.period_end),
        coalesce((c.result ->> 'rows')::bigint, p.rows), (c.result ->> 'covered')::bigint, c.gate, c.label_reason,
        c.committed_at IS NOT NULL
    FROM runs_workclaim c LEFT JOIN catalog_partition p ON p.id = c.partition_id
    WHERE c.run_id = %(run)s ORDER BY c.created_at DESC LIMIT %(shown)s
"""
_SUMS = """
    SELECT s.id::text, s.partition_id::text, l.arm
    FROM runs_run r
    JOIN registry_modelversion v ON v.model_id = r.model_id
    JOIN registry_lineage l ON l.model_version_id = v.id
    JOIN runs_metricsums s ON s.lineage_id = l.id AND s.scope = %(all)s
    WHERE r.id = %(run)s AND s.partition_id = ANY (ARRAY(
        SELECT partition_id FROM runs_workclaim WHERE run_id = %(run)s ORDER BY created_at DESC LIMIT %(shown)s
    ))
"""
"""The rows of sums behind the NE of the units above."""


def _partitions(run_id: uuid.UUID) -> list[dict[str, Any]]:
    """Return the newest units of a run in time order: partition (or period), state, rows, and both arms' NE."""
    asked: dict[str, Any] = {"run": run_id, "shown": PARTITIONS_SHOWN, "all": MetricSums.Scope.ALL}
    with connection.cursor() as cursor:
        cursor.execute(_UNITS, asked)
        units = cursor.fetchall()
        cursor.execute(_SUMS, asked)
        entropies = _entropies(cursor.fetchall())
    return [
        {
            "id": partition or claim,
            "start": start,
            "end": end,
            "state": "done" if committed else "claimed",
            "rows": rows,
            "covered": covered,
            "gate": gate,
            "label_reason": label_reason,
            "ne_control": entropies.get((partition, "control")),
            "ne_treatment": entropies.get((partition, "treatment")),
        }
        for claim, partition, start, end, rows, covered, gate, label_reason, committed in reversed(units)
    ]


_known: OrderedDict[str, float | None] = OrderedDict()
"""NE by the id of a row of sums: such a row never changes, and a run of a hundred partitions shows two hundred."""
_lock = threading.Lock()


def _entropies(sums: list[tuple[str, str, str]]) -> dict[tuple[str | None, str], float | None]:
    """Return NE by partition and arm of rows of sums, given as id, partition and arm."""
    with _lock:
        found = {row_id: _known[row_id] for row_id, _, _ in sums if row_id in _known}
    missing = [row_id for row_id, _, _ in sums if row_id not in found]
    if missing:
        fresh = MetricSums.objects.filter(id__in=missing).values_list("id", "n", "y", "loss", "p")
        found |= {
            str(row_id): normalized_entropy(BucketSums(*(np.asarray(each, np.float64) for each in columns))).value
            for row_id, *columns in fresh
        }
        with _lock:
            _known.update({row_id: found[row_id] for row_id in missing})
            while len(_known) > ENTROPIES_KEPT:
                _known.popitem(last=False)
    return {(partition, arm): found[row_id] for row_id, partition, arm in sums}


def capacity() -> dict[str, Any]:
    """Return what workers offer, who holds it, and who waits, for administrators."""
    now = timezone.now()
    live = WorkerNode.objects.filter(seen_at__gte=now - SEEN_WITHIN)
    held = list(runs().filter(state__in=HELD_STATES).select_related("tenant"))
    queued = list(Run.objects.filter(state=State.QUEUED).select_related("model", "foundation_model", "tenant"))
    return {
        "slots": {"total": live.aggregate(total=Sum("slots"))["total"] or 0, "held": len(held)},
        "workers": [
            {
                "name": node.name,
                "flavor": node.flavor,
                "slots": node.slots,
                "seen_at": node.seen_at.isoformat(),
                "live": node.seen_at >= now - SEEN_WITHIN,
            }
            for node in WorkerNode.objects.order_by("name")
        ],
        "held": [_place(run) for run in held],
        "queued": [_place(run) for run in sorted(queued, key=lambda r: r.waiting.get("position", 0))],
    }


def _place(run: Run) -> dict[str, Any]:
    return {
        "id": str(run.id),
        "tenant": run.tenant.slug if run.tenant else None,
        "kind": run.kind,
        "name": str(run.model or run.foundation_model),
        "state": run.state,
        "reason": {"code": run.reason_code, "message": run.reason_message} if run.reason_code else None,
        "position": run.waiting.get("position"),
    }
