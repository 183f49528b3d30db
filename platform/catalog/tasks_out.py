"""Celery messages that catalog sends, by name. They are nudges: a lost one is sent again by the sweep."""

import uuid

from django.db import transaction

from config.celery import nudge


def validate_on_commit(*, partition_id: uuid.UUID, tenant_id: uuid.UUID) -> None:
    """Ask a worker to validate the partition once this transaction is durable."""
    transaction.on_commit(lambda: validate_now(partition_id=partition_id, tenant_id=tenant_id))


def validate_now(*, partition_id: uuid.UUID, tenant_id: uuid.UUID) -> None:
    """Ask a worker to validate the partition; the broker being away is not an error."""
    nudge("catalog.validate_partition", str(partition_id), str(tenant_id))


def plan_on_commit() -> None:
    """Tell the planner that there may be new work once this transaction is durable."""
    transaction.on_commit(lambda: nudge("runs.plan"))
