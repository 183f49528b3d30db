"""Who is acting in this request or task, for the audit log and the logs; the scope says for which tenant."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Actor:
    """A person (with the token used, if any) or a part of the platform (`user_id` None, `label` "system:…")."""

    label: str
    user_id: uuid.UUID | None = None
    token_prefix: str = ""
    request_id: str = ""
    reason: str = ""


SYSTEM = Actor(label="system")

_actor: ContextVar[Actor] = ContextVar("exfm_actor", default=SYSTEM)


def current_actor() -> Actor:
    """Return who is acting; `SYSTEM` outside requests."""
    return _actor.get()


@contextmanager
def acting(actor: Actor) -> Iterator[Actor]:
    """Attribute every change inside the block to `actor`."""
    token = _actor.set(actor)
    try:
        yield actor
    finally:
        _actor.reset(token)
