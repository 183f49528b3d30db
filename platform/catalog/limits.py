"""The port through which catalog and registry ask for a tenant's limits; `budgets`, above them, registers itself."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection


@dataclass(frozen=True)
class Limits:
    """What a tenant may hold: bytes of partitions, number of models, and the serving budget of one model.

    `serving_latency_us` None: no limit.
    """

    storage_bytes: int
    models: int
    serving_parameters: int
    serving_flops: int
    serving_latency_us: int | None


_limits: Callable[[uuid.UUID], Limits] | None = None


def register(limits: Callable[[uuid.UUID], Limits]) -> None:
    """Called once by `budgets` when Django starts."""
    global _limits
    _limits = limits


def limits_of(tenant_id: uuid.UUID) -> Limits:
    """Return the tenant's limits; nobody having registered is a configuration error."""
    if _limits is None:
        raise RuntimeError("no limits are registered: `budgets` must be in INSTALLED_APPS")
    return _limits(tenant_id)


def hold(tenant_id: uuid.UUID) -> None:
    """Serialise everything that counts against the tenant's limits until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"limits:{tenant_id}"])
