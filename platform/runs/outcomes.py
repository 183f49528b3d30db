"""How an attempt ends, and what becomes of its run: succeeded, back to the queue, failed or cancelled."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from runs import nudges
from runs.accounting import Held, accounting
from runs.errors import StaleLease
from runs.leases import Lease, hold
from runs.models import Attempt, Fault, Kind, Run, State
from runs.states import move

RETRIES: Final[dict[str, int]] = {Fault.USER: 0, Fault.PLATFORM: 3, Fault.CAPACITY: 10}
"""How many failures of each fault a run survives between two commits."""

BACK_OFF: Final[dict[str, tuple[float, float]]] = {Fault.PLATFORM: (1.0, 60.0), Fault.CAPACITY: (5.0, 300.0)}
"""Seconds before the first retry and at most; doubled with every failure."""

CANCELLING: Final = {
    "user": "It was stopped on request.",
    "model_paused": "The model is paused, or its tenant suspended.",
}
"""Stop reasons that end the run; all others send it back to the queue."""

WAITING_SENTENCES: Final[dict[str, str]] = {
    "worker_shutdown": "Its worker was shut down; it goes on from the last checkpoint on another.",
    "preempted": "It made room for a run of higher priority; it goes on from the last checkpoint.",
}


class End(StrEnum):
    """Ways an attempt ends."""

    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    LOST = "lost"


@dataclass(frozen=True)
class Outcome:
    """The end of an attempt. `code` is the stop reason of a stopped one and the error of a failed one."""

    end: End
    code: str = ""
    message: str = ""
    mend: str = ""
    fault: Fault = Fault.NONE
    exit_code: int | None = None
    log_tail: str = ""


@dataclass(frozen=True)
class _Next:
    state: State
    code: str
    message: str
    not_before: datetime | None = None


LINE: Final[dict[str, str]] = {Kind.VM_TRAIN: "training", Kind.DAS_SCORE: "fm_scoring", Kind.FM_TRAIN: "fm_training"}
"""The ledger line of time that belongs to no partition."""


def unsettled_seconds(attempt: Attempt, now: datetime) -> float:
    """Device-seconds held since the attempt began or was last settled."""
    return max(0.0, (now - (attempt.settled_at or attempt.started_at)).total_seconds())


def end_attempt(*, lease: Lease, outcome: Outcome, held_until: datetime | None = None) -> State:
    """Close the attempt, settle and release its money, and move the run on, all in one fenced transaction.

    `held_until` is the last sign of life of an attempt that died; now if None. Raises StaleLease (nothing is written).
    """
    with transaction.atomic():
        run = hold(lease=lease)
        now = timezone.now()
        attempt = Attempt.objects.select_for_update().get(id=lease.attempt_id)
        _close(attempt, outcome, now)
        _settle(run, attempt, outcome, held_until or now)
        following = _following(run, outcome, now)
        fields: dict[str, Any] = {
            "reason_code": following.code,
            "reason_message": following.message,
            "not_before": following.not_before,
            "faults": run.faults,
            "lease_token": None,
            "lease_expires_at": None,
            "waiting": {},
        }
        if following.state == State.QUEUED:
            fields |= {"admitted_at": None, "nudged_at": None, "stop_requested_at": None, "stop_reason": ""}
        else:
            fields |= {"finished_at": now}
        if not move(run_id=run.id, to=following.state, token=lease.token, **fields):
            raise StaleLease(f"run {run.id} cannot go from {run.state} to {following.state}")
        accounting().release(run=run)
        nudges.announce(run)
        nudges.plan_on_commit()
    return following.state


def _close(attempt: Attempt, outcome: Outcome, now: datetime) -> None:
    states = {End.FAILED: Attempt.State.FAILED, End.LOST: Attempt.State.LOST}
    attempt.state = states.get(outcome.end, Attempt.State.DONE)
    attempt.fault = outcome.fault
    attempt.code, attempt.message, attempt.mend = outcome.code[:60], outcome.message, outcome.mend
    attempt.exit_code = outcome.exit_code
    attempt.log_tail = outcome.log_tail
    attempt.finished_at = now
    attempt.save()


def _settle(run: Run, attempt: Attempt, outcome: Outcome, until: datetime) -> None:
    """Charge what no commit has charged: idle time and a user's lost work to the owner, other loss to the platform."""
    seconds = unsettled_seconds(attempt, until)
    owners = outcome.end == End.FINISHED or outcome.fault == Fault.USER or outcome.code in CANCELLING
    if seconds > 0:
        accounting().settle(
            run=run, attempt=attempt, claim=None, held=Held({LINE[run.kind] if owners else "lost": seconds})
        )
        Attempt.objects.filter(id=attempt.id).update(settled_at=until)


def _following(run: Run, outcome: Outcome, now: datetime) -> _Next:
    asked = (run.stop_reason or "user") if run.stop_requested_at else ""
    if outcome.end == End.FINISHED and not asked:
        return _Next(State.SUCCEEDED, "done", "All partitions that were ready have been worked off.")
    if outcome.end == End.STOPPED or asked:
        reason = asked or outcome.code
        if reason in CANCELLING:
            return _Next(State.CANCELLED, reason, CANCELLING[reason])
        sentence = outcome.message or WAITING_SENTENCES.get(reason, "It was stopped at a checkpoint.")
        return _Next(State.QUEUED, reason, sentence)
    failures = int(run.faults.get(outcome.fault, 0)) + 1
    run.faults = {**run.faults, outcome.fault: failures}
    if failures > RETRIES.get(outcome.fault, 0):
        return _Next(State.FAILED, outcome.code, " ".join(filter(None, (outcome.message, outcome.mend))))
    first, most = BACK_OFF.get(outcome.fault, (1.0, 60.0))
    delay = min(first * 2 ** (failures - 1), most)
    sentence = f"Try {failures} failed ({outcome.message or outcome.code}); it is tried again from the last checkpoint."
    return _Next(State.QUEUED, "retry", sentence, now + timedelta(seconds=delay))
