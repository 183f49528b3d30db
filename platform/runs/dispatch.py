"""Admission: which queued runs may start now. One dispatcher at a time; every other run learns why it waits.

Order: priority (teacher, scoring, students), then fair share: the tenant with the least decayed device time first, then
age. Limits: what the tenant's budget does, the tenant's quota, free slots of workers seen lately, money for start-up
and the first unit of work. A run that its own tenant's budget or quota keeps does not wait for a slot: it says so, also
while all slots are taken, and nobody else makes room for it.
"""

import math
import uuid
from collections import Counter
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import Q, Sum
from django.utils import timezone

from runs import nudges, quotas
from runs.accounting import Refusal, accounting
from runs.hardcaps import reserve_admission
from runs.models import HELD_STATES, Attempt, Run, State, WorkerNode
from runs.outcomes import CANCELLING
from runs.states import move
from runs.units import Nothing, next_unit, open_claim, rows_of, rows_of_claim

LOCK: Final = 0x5EED_0002
SEEN_WITHIN: Final = timedelta(seconds=20)
HALF_LIFE: Final = timedelta(hours=1)
HORIZON: Final = timedelta(hours=8)
NAMED: Final = 8
"""Own runs named among the holders; further ones are counted."""
NOMINAL_SECONDS: Final = 60.0
"""What an admission counts in its own pass, so that one tenant does not take all free slots at once."""


@transaction.atomic
def dispatch(now: datetime | None = None) -> list[Run]:
    """Admit what fits, cancel what was asked to stop while waiting, explain the rest; return the admitted runs."""
    moment = now or timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    _cancel_stopped(moment)
    free = free_slots(moment)
    usage = decayed_seconds(moment)
    waiting = list(Run.objects.filter(state=State.QUEUED).select_related("tenant", "model__stream", "foundation_model"))
    held_back = accounting().held_back(runs=waiting, now=moment)
    concurrency = quotas.Concurrency.of(waiting)
    admitted: list[Run] = []
    refused: list[tuple[Run, str, str]] = []
    while waiting:
        run = min(waiting, key=lambda r: (-r.priority, usage.get(r.tenant_id, 0.0), r.created_at))
        waiting.remove(run)
        kept = held_back.get(run.id) or concurrency.refusal(run)
        verdict = _verdict(run, free, moment, kept)
        if verdict is None and _admit(run, moment):
            admitted.append(run)
            concurrency.add(run)
            free -= 1
            usage[run.tenant_id] = usage.get(run.tenant_id, 0.0) + NOMINAL_SECONDS
        elif verdict is not None:
            refused.append((run, *verdict))
    _explain(refused)
    return admitted


def free_slots(now: datetime) -> int:
    """Return the slots of workers seen lately minus the runs that hold one."""
    slots = WorkerNode.objects.filter(seen_at__gte=now - SEEN_WITHIN).aggregate(total=Sum("slots"))["total"] or 0
    return slots - Run.objects.filter(state__in=HELD_STATES).count()


def decayed_seconds(now: datetime) -> dict[uuid.UUID | None, float]:
    """Return device-seconds held per tenant in the last hours, halved for every hour since (None = the platform)."""
    usage: dict[uuid.UUID | None, float] = {}
    rows = Attempt.objects.filter(Q(finished_at__isnull=True) | Q(finished_at__gte=now - HORIZON))
    for tenant_id, start, end in rows.values_list("tenant_id", "started_at", "finished_at"):
        until = end or now
        seconds = max(0.0, (until - start).total_seconds())
        age = max(0.0, (now - until) / HALF_LIFE)
        usage[tenant_id] = usage.get(tenant_id, 0.0) + seconds * math.pow(0.5, age)
    return usage


def _verdict(run: Run, free: int, now: datetime, kept: Refusal | None) -> tuple[str, str] | None:
    """Return (code, sentence) of why the run may not start, or None; `kept`: by its tenant's own budget or quota."""
    if run.not_before and run.not_before > now:
        return "retry", run.reason_message
    if kept is not None:
        return kept.code, kept.message
    if free <= 0:
        if not WorkerNode.objects.filter(seen_at__gte=now - SEEN_WITHIN).exists():
            return "no_worker", "No worker has reported for 20 seconds; it starts when one is back."
        return "capacity", "All slots are taken; it starts when one becomes free."
    refusal = reserve_admission(run=run, rows=_first_rows(run, now))
    return (refusal.code, refusal.message) if refusal else None


def _first_rows(run: Run, now: datetime) -> int:
    claim = open_claim(run)
    if claim is not None:
        return rows_of_claim(claim)
    unit = next_unit(run, now)
    return 0 if isinstance(unit, Nothing) else rows_of(unit)


def _admit(run: Run, now: datetime) -> bool:
    moved = move(
        run_id=run.id,
        to=State.ADMITTED,
        token=None,
        admitted_at=now,
        nudged_at=now,
        not_before=None,
        reason_code="admitted",
        reason_message="A slot is reserved; a worker is about to take it.",
        waiting={},
    )
    if moved:
        nudges.announce(run)
        nudges.supervise_on_commit(run.id)
    else:
        accounting().release(run=run)
    return moved


def _cancel_stopped(now: datetime) -> None:
    """Runs that were asked to stop before a worker had them."""
    rows = Run.objects.filter(state__in=(State.QUEUED, State.ADMITTED), stop_requested_at__isnull=False)
    for run in rows.select_for_update(skip_locked=True):
        code = run.stop_reason or "user"
        message = CANCELLING.get(code, CANCELLING["user"])
        end = {"finished_at": now, "reason_code": code, "reason_message": message, "waiting": {}}
        moved = move(run_id=run.id, to=State.CANCELLED, token=None, **end)
        if moved:
            accounting().release(run=run)
            nudges.announce(run)


def _explain(refused: list[tuple[Run, str, str]]) -> None:
    """Write reason, position and holders on the runs that still wait; tell browsers only of changes."""
    held = list(Run.objects.filter(state__in=HELD_STATES).select_related("model", "foundation_model"))
    for position, (run, code, message) in enumerate(refused, start=1):
        waiting = {"position": position, "holders": _holders(code, held, run.tenant_id)}
        if (run.reason_code, run.reason_message, run.waiting) == (code, message, waiting):
            continue
        changed = Run.objects.filter(id=run.id, state=State.QUEUED).update(
            reason_code=code, reason_message=message, waiting=waiting
        )
        if changed:
            nudges.announce(run)


def _holders(code: str, held: list[Run], tenant_id: uuid.UUID | None) -> list[str]:
    """Return who holds what a run waits for, if it is a slot or a place in its tenant's quota."""
    if code == "capacity":
        return holders(held, tenant_id)
    return _shortened(_own(held, tenant_id)) if code == quotas.CODE else []


def _own(held: list[Run], tenant_id: uuid.UUID | None) -> list[str]:
    return sorted(run.model.name for run in held if run.model and run.tenant_id == tenant_id)


def _shortened(names: list[str]) -> list[str]:
    rest = len(names) - NAMED
    return names if rest <= 0 else [*names[:NAMED], f"{rest} more"]


def holders(held: list[Run], tenant_id: uuid.UUID | None) -> list[str]:
    """Say who holds the capacity; other tenants are counted, never named."""
    own = _shortened([f"{name} (yours)" for name in _own(held, tenant_id)])
    shared = Counter(run.kind for run in held if run.tenant_id is None)
    names = {"fm.train": "training of the foundation model", "das.score": "scoring by the foundation model"}
    platform = [names[kind] for kind in sorted(shared)]
    others = sum(1 for run in held if run.tenant_id is not None and run.tenant_id != tenant_id)
    return own + platform + ([f"{others} run{'s' if others > 1 else ''} of other tenants"] if others else [])
