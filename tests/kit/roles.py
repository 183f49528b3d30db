"""Which database role a test's connection has.

The suite signs in as superuser and lowers itself with `SET ROLE`, which PostgreSQL treats like a sign-in of that role:
grants and row-level security apply. New connections (threads, transactional tests) take the same role through Django's
`assume_role`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from psycopg import sql

from config.embedded.roles import APP, OWNER, PLATFORM

__all__ = ["APP", "OWNER", "PLATFORM", "database_role", "set_role"]


def set_role(role: str | None) -> None:
    """Give this test's connections the role; None is the superuser, above row-level security: for set-up only."""
    options = connection.settings_dict["OPTIONS"]
    options.pop("assume_role", None)
    if role:
        options["assume_role"] = role
    if connection.connection is not None:
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)) if role else "RESET ROLE")


@contextmanager
def database_role(role: str | None) -> Iterator[None]:
    """Hold the role inside the `with` block, then return to the one before.

    `SET ROLE` is part of a transaction: rolling back to a savepoint made before the block undoes it together
    with the rows.
    """
    before = connection.settings_dict["OPTIONS"].get("assume_role")
    set_role(role)
    try:
        yield
    finally:
        if not connection.needs_rollback:
            set_role(before)
        else:
            connection.settings_dict["OPTIONS"]["assume_role"] = before
