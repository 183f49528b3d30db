"""The lease: who may work on a run. Taking it makes an attempt; renewed while the child lives, reaped when not."""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Coalesce
from django.utils import timezone

from config import env
from runs import nudges
from runs.errors import StaleLease
from runs.models import Attempt, Run, State
from runs.states import LEASED, move

EXPIRY: Final = timedelta(seconds=env.number("EXFM_LEASE_SECONDS", 15))
"""How long a silent supervisor keeps its run."""
HEARTBEAT_SECONDS: Final = EXPIRY.total_seconds() / 5


@dataclass(frozen=True)
class Lease:
    """A held run: proof (`token`) and the attempt that it opened."""

    run_id: uuid.UUID
    token: uuid.UUID
    attempt_id: uuid.UUID
    number: int


@dataclass(frozen=True)
class Renewal:
    """What a heartbeat learns: whether somebody asked the run to stop, and why."""

    stop_reason: str | None


def take(*, run_id: uuid.UUID, worker: str) -> Lease | None:
    """Take an admitted run and open its next attempt; None if it is not there to be taken (a doubled or late nudge)."""
    token, now = uuid.uuid4(), timezone.now()
    with transaction.atomic():
        taken = move(
            run_id=run_id,
            to=State.STARTING,
            token=None,
            lease_token=token,
            lease_expires_at=now + EXPIRY,
            heartbeat_at=now,
            started_at=Coalesce("started_at", now),
            reason_code="starting",
            reason_message="A worker is starting the training process.",
            waiting={},
        )
        if not taken:
            return None
        run = Run.objects.get(id=run_id)
        last = run.attempts.aggregate(last=Max("number"))["last"] or 0
        attempt = Attempt.objects.create(
            tenant_id=run.tenant_id, run=run, number=last + 1, lease_token=token, worker=worker
        )
        nudges.announce(run)
    return Lease(run_id=run_id, token=token, attempt_id=attempt.id, number=attempt.number)


def renew(*, lease: Lease) -> Renewal:
    """Prolong the lease. Raises StaleLease if it was reaped or ended."""
    now = timezone.now()
    rows = Run.objects.filter(id=lease.run_id, lease_token=lease.token, state__in=LEASED)
    if rows.update(lease_expires_at=now + EXPIRY, heartbeat_at=now) != 1:
        raise StaleLease(f"run {lease.run_id}: the lease of attempt {lease.number} is no longer held")
    asked_at, reason = rows.values_list("stop_requested_at", "stop_reason").get()
    return Renewal(stop_reason=(reason or "user") if asked_at else None)


def hold(*, lease: Lease) -> Run:
    """Lock the run's row for this transaction and return it. Raises StaleLease if the lease is no longer held."""
    run = (
        Run.objects.select_for_update(of=("self",))
        .select_related("model", "foundation_model", "tenant")
        .filter(id=lease.run_id, lease_token=lease.token, state__in=LEASED)
        .first()
    )
    if run is None:
        raise StaleLease(f"run {lease.run_id}: the lease of attempt {lease.number} is no longer held")
    return run


def started(*, lease: Lease, pid: int, environment: dict[str, object]) -> None:
    """The child is ready: starting → running. The first attempt's libraries and instruction set are the run's."""
    with transaction.atomic():
        run = hold(lease=lease)
        if run.state == State.STARTING:
            move(run_id=run.id, to=State.RUNNING, token=lease.token, reason_code="", reason_message="")
        if not run.environment:
            Run.objects.filter(id=run.id).update(environment=environment)
        Attempt.objects.filter(id=lease.attempt_id).update(pid=pid)
        nudges.announce(run)


def stopping(*, lease: Lease, code: str, message: str) -> None:
    """The child was asked to stop: → stopping."""
    with transaction.atomic():
        if move(run_id=lease.run_id, to=State.STOPPING, token=lease.token, reason_code=code, reason_message=message):
            nudges.announce(Run.objects.get(id=lease.run_id))


def explain(*, lease: Lease, code: str, message: str) -> None:
    """Say why a held run does nothing at the moment."""
    rows = Run.objects.filter(id=lease.run_id, lease_token=lease.token, state__in=LEASED)
    with transaction.atomic():
        if rows.exclude(reason_code=code, reason_message=message).update(reason_code=code, reason_message=message):
            nudges.announce(Run.objects.get(id=lease.run_id))
