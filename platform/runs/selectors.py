"""Reads of runs as the API, the event stream and the pages show them. Every function needs a scope."""

import threading
import uuid
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import numpy as np
from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from exfm_core.metrics.sums import BucketSums, normalized_entropy
from runs.accounting import RunCost, accounting
from runs.dispatch import SEEN_WITHIN
from runs.models import HELD_STATES, OPEN_STATES, MetricSums, Run, State, WorkClaim, WorkerNode
from runs.services import get_visible

PARTITIONS_SHOWN = 200
ENTROPIES_KEPT = 50_000


def runs() -> QuerySet[Run]:
    """Return the runs in scope, newest first; `runs.filters` narrows them down."""
    return Run.objects.select_related("model", "foundation_model").order_by("-id")


def has_open_run(model_id: uuid.UUID) -> bool:
    """Tell whether a run of the model has not ended."""
    return Run.objects.filter(model_id=model_id, state__in=OPEN_STATES).exists()


def run_card(run_id: uuid.UUID) -> dict[str, Any] | None:
    """Return one run's card, or None if the scope sees no such run."""
    run = runs().filter(id=run_id).first()
    return cards([run])[0] if run else None


def cards(rows: Iterable[Run]) -> list[dict[str, Any]]:
    """Return the cards of runs: state with its reason, place in the queue, progress, cost."""
    listed = list(rows)
    costs = accounting().costs(run_ids=[run.id for run in listed])
    return [_card(run, costs.get(run.id, RunCost())) for run in listed]


def _card(run: Run, cost: RunCost) -> dict[str, Any]:
    return {
        "id": str(run.id),
        "kind": run.kind,
        "state": run.state,
        "reason": {"code": run.reason_code, "message": run.reason_message} if run.reason_code else None,
        "model": _named(run.model),
        "foundation_model": _named(run.foundation_model),
        "position": run.waiting.get("position") if run.state == State.QUEUED else None,
        "holders": run.waiting.get("holders", []) if run.state == State.QUEUED else [],
        "created_at": run.created_at.isoformat(),
        "started_at": run.started_at.isoformat() if run.started_at else None,
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "stop_requested_at": run.stop_requested_at.isoformat() if run.stop_requested_at else None,
        "progress": run.progress or None,
        "cost": {
            "spent": str(cost.spent),
            "measurement": str(cost.measurement),
            "reserved": str(cost.reserved),
            "currency": cost.currency,
        },
    }


def _named(owner: Any) -> dict[str, str] | None:
    return {"id": str(owner.id), "name": owner.name} if owner is not None else None


def run_detail(*, run_id: uuid.UUID) -> dict[str, Any]:
    """Return a run with its attempts, partitions and the log's tail. Raises NotFound."""
    run = get_visible(run_id=run_id)
    attempts = list(run.attempts.order_by("number"))
    return cards([run])[0] | {
        "attempts": [
            {
                "n": attempt.number,
                "state": attempt.state,
                "started_at": attempt.started_at.isoformat(),
                "finished_at": attempt.finished_at.isoformat() if attempt.finished_at else None,
                "fault": attempt.fault,
                "code": attempt.code,
                "message": attempt.message,
                "mend": attempt.mend,
                "exit": attempt.exit_code,
            }
            for attempt in attempts
        ],
        "partitions": run_partitions(run=run),
        "log": attempts[-1].log_tail.splitlines() if attempts else [],
    }


def run_partitions(*, run: Run) -> list[dict[str, Any]]:
    """Return the newest units of a run in time order: partition (or period), state, rows, and both arms' NE."""
    claims = list(
        WorkClaim.objects.filter(run=run).select_related("partition").order_by("-created_at")[:PARTITIONS_SHOWN]
    )
    entropies = _entropies([claim.partition_id for claim in claims if claim.partition_id], run)
    return [_unit(claim, entropies) for claim in reversed(claims)]


def _unit(claim: WorkClaim, entropies: dict[tuple[Any, str], float | None]) -> dict[str, Any]:
    partition = claim.partition
    start = partition.start if partition else claim.period_start
    end = partition.end if partition else claim.period_end
    return {
        "id": str(partition.id if partition else claim.id),
        "start": start.isoformat() if start else None,
        "end": end.isoformat() if end else None,
        "state": "done" if claim.committed_at else "claimed",
        "rows": claim.result.get("rows", partition.rows if partition else None),
        "covered": claim.result.get("covered"),
        "gate": claim.gate,
        "label_reason": claim.label_reason,
        "ne_control": entropies.get((claim.partition_id, "control")),
        "ne_treatment": entropies.get((claim.partition_id, "treatment")),
    }


_known: OrderedDict[uuid.UUID, float | None] = OrderedDict()
"""NE by the id of a row of sums: such a row never changes, and a run of a hundred partitions shows two hundred."""
_lock = threading.Lock()


def _entropies(partition_ids: list[uuid.UUID], run: Run) -> dict[tuple[Any, str], float | None]:
    if run.model_id is None or not partition_ids:
        return {}
    rows = MetricSums.objects.filter(
        Q(lineage__model_version__model_id=run.model_id), partition_id__in=partition_ids, scope=MetricSums.Scope.ALL
    )
    places = {row[0]: row[1:] for row in rows.values_list("id", "partition_id", "lineage__arm")}
    with _lock:
        found = {row_id: _known[row_id] for row_id in places if row_id in _known}
    missing = [row_id for row_id in places if row_id not in found]
    if missing:
        fresh = MetricSums.objects.filter(id__in=missing).values_list("id", "n", "y", "loss", "p")
        found |= {
            row_id: normalized_entropy(BucketSums(*(np.asarray(each, np.float64) for each in sums))).value
            for row_id, *sums in fresh
        }
        with _lock:
            _known.update({row_id: found[row_id] for row_id in missing})
            while len(_known) > ENTROPIES_KEPT:
                _known.popitem(last=False)
    return {place: found[row_id] for row_id, place in places.items()}


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
