"""Celery tasks. Each is a nudge that may come twice, late or never: the database decides whether there is work."""

import socket
import time
import uuid
from datetime import timedelta
from typing import Final

import structlog
from celery import Task

from alerts import courier
from catalog.selectors import unvalidated
from catalog.tasks_out import validate_now
from config.celery import app
from insights.keeping import catch_up
from runs.dispatch import dispatch
from runs.planner import plan
from runs.sweeping import forget_workers, reap, resend, stop_paused
from tenancy import export_work
from workers import exporting, lifecycle
from workers.database import platform_work
from workers.delivering import hands
from workers.erasure import erase_due
from workers.housekeeping import tidy
from workers.leftovers import remove_leftovers
from workers.supervisor import supervise
from workers.validation import validate_partition

__all__ = ["lifecycle"]

log = structlog.get_logger("exfm.workers")

VALIDATE_AGAIN_AFTER: Final = timedelta(seconds=30)
LEFTOVERS_EVERY_SECONDS: Final = 3600.0
_next_leftovers = 0.0


@app.task(name="runs.plan", ignore_result=True)
def plan_task() -> None:
    """Make runs where there is work, and admit what fits."""
    with platform_work("planner"):
        plan()
        dispatch()


@app.task(name="runs.dispatch", ignore_result=True)
def dispatch_task() -> None:
    """Admit what fits."""
    with platform_work("dispatcher"):
        dispatch()


@app.task(name="runs.supervise", bind=True, ignore_result=True, acks_late=False)
def supervise_task(self: "Task[[str], None]", run_id: str) -> None:
    """See one attempt of the run through; lives as long as the attempt."""
    supervise(uuid.UUID(run_id), worker=str(self.request.hostname or socket.gethostname()))


@app.task(name="runs.sweep", ignore_result=True)
def sweep_task() -> None:
    """Reap dead leases, send lost nudges again, plan, dispatch; now and then remove files that nothing refers to."""
    global _next_leftovers
    with platform_work("sweep"):
        reap()
        stop_paused()
        resend()
        plan()
        dispatch()
        for partition_id, tenant_id in unvalidated(older_than=VALIDATE_AGAIN_AFTER):
            validate_now(partition_id=partition_id, tenant_id=tenant_id)
        if time.monotonic() >= _next_leftovers:
            _next_leftovers = time.monotonic() + LEFTOVERS_EVERY_SECONDS
            forget_workers()
            remove_leftovers()
            courier.forget_old()
            exporting.remove_old()
        exporting.reconcile()
        waiting = export_work.waiting()
    exporting.hands.call(waiting)


@app.task(name="catalog.validate_partition", ignore_result=True)
def validate_partition_task(partition_id: str, tenant_id: str) -> None:
    """Validate an uploaded partition, then seal or reject it."""
    validate_partition(uuid.UUID(partition_id))


@app.task(name="alerts.deliver", ignore_result=True)
def deliver_task() -> None:
    """Have what is due delivered, on threads of its own: a slow receiver must not hold up the platform's work."""
    hands.call(1)


@app.task(name="alerts.sweep", ignore_result=True)
def sweep_webhooks_task() -> None:
    """Deliver what is due again, and what a lost nudge or a dead worker left."""
    with platform_work("webhooks"):
        due = courier.due()
    hands.call(due)


@app.task(name="insights.catch_up", ignore_result=True)
def catch_up_task() -> None:
    """Compute the figures that commits could not keep up to date."""
    with platform_work("figures"):
        if made := catch_up():
            log.info("figures_caught_up", models=made)


@app.task(name="tenancy.export", ignore_result=True)
def export_task() -> None:
    """Have the export that waits written, on a thread of its own: it may take an hour."""
    exporting.hands.call(1)


@app.task(name="tenancy.tidy", ignore_result=True)
def tidy_task() -> None:
    """Remove what a day leaves behind."""
    with platform_work("housekeeping"):
        log.info("tidied", **tidy())


@app.task(name="tenancy.erase_due", ignore_result=True)
def erase_due_task() -> None:
    """Erase the tenants whose time of grace is over."""
    with platform_work("erasure"):
        erase_due()
