"""What happens to a tenant's things, told to whoever listens, inside the transaction that makes it so.

The apps that change things stand below the one that sends messages about it, so that one registers itself here when
Django starts (`alerts`). A listener writes rows in the same transaction: what is rolled back was never told.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Occurrence:
    """Something that happened.

    Args:
        type: `thing.verb`, e.g. "run.succeeded"; `alerts.types` lists all.
        tenant_id: whose it is.
        data: what the tenant may read about it, JSON-able (Decimal, UUID and datetime included). Never secrets.
    """

    type: str
    tenant_id: uuid.UUID
    data: Mapping[str, Any]


Listener = Callable[[Occurrence], None]

_listeners: list[Listener] = []


def register(listener: Listener) -> None:
    """Have every occurrence told to `listener`, once however often it registers."""
    if listener not in _listeners:
        _listeners.append(listener)


def tell(type: str, *, tenant_id: uuid.UUID, data: Mapping[str, Any]) -> None:
    """Tell that something happened; call it in the transaction of the change."""
    for listener in _listeners:
        listener(Occurrence(type=type, tenant_id=tenant_id, data=data))
