"""Messages: Celery tasks by name and PostgreSQL notifications. Any may be lost; the sweep re-sends what matters."""

import uuid
from typing import Final

from django.db import connection, transaction

from config.celery import nudge
from runs.models import Run

LIVE_CHANNEL: Final = "exfm"
"""What browsers follow: `<tenant id or "platform">:<run id>`."""

WORK_CHANNEL: Final = "exfm_work"
"""What idle supervisors wait for: something was sealed, committed, published or stopped."""


def plan_on_commit() -> None:
    """Ask for planning and dispatching once this transaction is durable."""
    transaction.on_commit(lambda: nudge("runs.plan"))


def dispatch_on_commit() -> None:
    """Ask for dispatching once this transaction is durable."""
    transaction.on_commit(lambda: nudge("runs.dispatch"))


def supervise_on_commit(run_id: uuid.UUID) -> None:
    """Ask a worker to take the admitted run once this transaction is durable."""
    transaction.on_commit(lambda: nudge("runs.supervise", str(run_id), queue="cpu"))


def announce(run: Run) -> None:
    """Tell browsers that the run changed (delivered at commit)."""
    notify(LIVE_CHANNEL, f"{run.tenant_id or 'platform'}:{run.id}")


def wake_supervisors() -> None:
    """Tell idle supervisors to look for work again (delivered at commit)."""
    notify(WORK_CHANNEL, "")


def notify(channel: str, payload: str) -> None:
    """NOTIFY within the current transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [channel, payload])


def dispatch_soon() -> None:
    """Ask for dispatching at once: outside a transaction, when capacity has come."""
    nudge("runs.dispatch")
