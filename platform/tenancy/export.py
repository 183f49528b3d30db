"""Every row that a tenant owns, as JSON lines: one file per table, without secrets."""

import json
from collections.abc import Iterator
from typing import Any, Final, cast

from django.apps import apps
from django.db import connection, models
from psycopg import sql

from tenancy import rls, selectors
from tenancy.models import Tenant

BATCH: Final = 500
SECRET: Final = frozenset({"digest", "salt", "previous_salt", "lease_token"})
"""Columns that tenants' processes may read, some of them, and that open something: digests, what signatures are derived
from, proofs that a worker holds."""


def tenant_tables() -> list[str]:
    """Return every table with a `tenant` column."""
    return sorted(
        model._meta.db_table
        for model in apps.get_models()
        if any(field.name == "tenant" and isinstance(field, models.ForeignKey) for field in model._meta.local_fields)
    )


def readable(table: str) -> list[str]:
    """Return the columns that tenants' processes may read and that are no secret; whichever role asks."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname::text FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
            " AND has_column_privilege(%s, attrelid, attnum, 'SELECT') ORDER BY attnum",
            [table, rls.APP],
        )
        return [row[0] for row in cursor.fetchall() if row[0] not in SECRET]


def lines(table: str, columns: list[str], tenant: Tenant) -> Iterator[bytes]:
    """Yield a table's rows in batches by key, so that memory does not grow with the tenant."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    query = sql.SQL(
        "SELECT r.id, row_to_json(r)::text FROM (SELECT {names} FROM {table} WHERE tenant_id = %s"
        " AND (%s::uuid IS NULL OR id > %s) ORDER BY id LIMIT %s) r"
    ).format(names=names, table=sql.Identifier(table))
    last: Any = None
    while True:
        with connection.cursor() as cursor:
            cursor.execute(cast(Any, query), [tenant.id, last, last, BATCH])
            rows = cursor.fetchall()
        for _, text in rows:
            yield text.encode() + b"\n"
        if len(rows) < BATCH:
            return
        last = rows[-1][0]


def people() -> Iterator[bytes]:
    """Yield the members of the tenant in scope: what others see of them, nothing of their accounts."""
    for row in selectors.members():
        shown = {"id": row.user_id, "email": row.user.email, "name": row.user.name, "role": row.role}
        yield json.dumps(shown, default=str).encode() + b"\n"
