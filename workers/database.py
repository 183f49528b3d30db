"""Database work of a worker's threads: in the platform's scope, on a connection that is given back at once."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import structlog
from django.db import InterfaceError, OperationalError, connection

from tenancy.context import Actor, acting
from tenancy.scope import platform_scope

log = structlog.get_logger("exfm.workers")
T = TypeVar("T")

PATIENCE_SECONDS: Final = 45.0
"""How long a supervisor waits for a database that went away before it gives up its attempt to the sweep."""


class DatabaseAway(RuntimeError):
    """The database did not come back in time."""


@contextmanager
def platform_work(reason: str) -> Iterator[None]:
    """Open the platform's scope for one piece of database work; the connection goes back to the pool afterwards.

    Supervisors live for hours: one that kept its connection between two commits would use up the pool.
    """
    with platform_scope(reason), acting(Actor(label=f"system:{reason}")):
        try:
            yield
        finally:
            if not connection.in_atomic_block:
                connection.close()


def patiently(reason: str, action: Callable[[], T], give_up: Callable[[], bool] = lambda: False) -> T:
    """Run `action` in the platform's scope; while the database is away try again. Raises DatabaseAway in the end.

    `action` must be safe to repeat: a commit whose answer was lost may have happened.
    """
    until, pause = time.monotonic() + PATIENCE_SECONDS, 0.1
    while True:
        try:
            with platform_work(reason):
                return action()
        except (OperationalError, InterfaceError) as error:
            if time.monotonic() > until or give_up():
                raise DatabaseAway(str(error)) from error
            log.warning("the database does not answer; trying again", error=str(error).splitlines()[0][:200])
            time.sleep(pause)
            pause = min(pause * 2, 2.0)
