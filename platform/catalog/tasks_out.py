"""Celery messages that catalog sends, by name. They are nudges: a lost one is sent again by the sweep."""

import uuid

import structlog
from django.db import transaction
from kombu.exceptions import OperationalError

from config.celery import app

log = structlog.get_logger("exfm.catalog")


def _send(name: str, *args: str) -> None:
    try:
        app.send_task(name, args=args, queue="control", retry=False, ignore_result=True)
    except (OperationalError, OSError) as error:
        log.warning("nudge lost, the sweep will send it again", task=name, error=str(error))


def validate_on_commit(*, partition_id: uuid.UUID, tenant_id: uuid.UUID) -> None:
    """Ask a worker to validate the partition once this transaction is durable."""
    transaction.on_commit(lambda: validate_now(partition_id=partition_id, tenant_id=tenant_id))


def validate_now(*, partition_id: uuid.UUID, tenant_id: uuid.UUID) -> None:
    """Ask a worker to validate the partition; the broker being away is not an error."""
    _send("catalog.validate_partition", str(partition_id), str(tenant_id))


def plan_on_commit() -> None:
    """Tell the planner that there may be new work once this transaction is durable."""
    transaction.on_commit(lambda: _send("runs.plan"))
