"""What makes lost messages and dead workers harmless: called every few seconds, by whoever is alive."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from registry.models import VerticalModel
from runs import nudges
from runs.accounting import accounting
from runs.errors import StaleLease
from runs.leases import Lease
from runs.models import OPEN_STATES, Attempt, Fault, Run, State, WorkerNode
from runs.outcomes import End, Outcome, end_attempt
from runs.services import request_stop
from runs.states import LEASED, move

RESEND_AFTER: Final = timedelta(seconds=8)
UNTAKEN_AFTER: Final = timedelta(seconds=60)
FORGET_WORKERS_AFTER: Final = timedelta(hours=1)

LOST = Outcome(
    End.LOST,
    "worker_lost",
    "its worker stopped answering",
    "Nothing to do: it goes on from the last checkpoint on another worker.",
    fault=Fault.PLATFORM,
)


def reap(now: datetime | None = None) -> int:
    """End attempts whose lease has lapsed: what they held since the last commit is lost and the platform's to pay."""
    moment = now or timezone.now()
    reaped = 0
    for run in Run.objects.filter(state__in=LEASED, lease_expires_at__lt=moment):
        with transaction.atomic():
            # Looked at again under the lock: a heartbeat may have come between.
            lapsed = Run.objects.select_for_update(skip_locked=True).filter(lease_expires_at__lt=moment)
            held = lapsed.filter(id=run.id).first()
            if held is None or held.lease_token is None:
                continue
            attempt = Attempt.objects.get(run=held, lease_token=held.lease_token)
            lease = Lease(held.id, held.lease_token, attempt.id, attempt.number)
            try:
                end_attempt(lease=lease, outcome=LOST, held_until=held.heartbeat_at)
            except StaleLease:
                continue
            reaped += 1
    return reaped


def resend(now: datetime | None = None) -> None:
    """Send the nudge of admitted runs again; one that no worker takes goes back to the queue."""
    moment = now or timezone.now()
    for run in Run.objects.filter(state=State.ADMITTED, nudged_at__lt=moment - RESEND_AFTER):
        with transaction.atomic():
            if run.admitted_at and run.admitted_at < moment - UNTAKEN_AFTER:
                back = {"admitted_at": None, "nudged_at": None, "reason_code": "no_worker"}
                message = "No worker took it within a minute; it is dispatched again."
                if move(run_id=run.id, to=State.QUEUED, token=None, reason_message=message, **back):
                    accounting().release(run=run)
                    nudges.announce(run)
            elif Run.objects.filter(id=run.id, state=State.ADMITTED).update(nudged_at=moment):
                nudges.supervise_on_commit(run.id)


def stop_paused() -> None:
    """Ask open runs of paused models to stop."""
    paused = Run.objects.filter(
        state__in=OPEN_STATES, stop_requested_at__isnull=True, model__status=VerticalModel.Status.PAUSED
    )
    for run_id in paused.values_list("id", flat=True):
        request_stop(run_id=run_id, reason="model_paused")


def forget_workers(now: datetime | None = None) -> None:
    """Remove workers that have not reported for an hour."""
    WorkerNode.objects.filter(seen_at__lt=(now or timezone.now()) - FORGET_WORKERS_AFTER).delete()
