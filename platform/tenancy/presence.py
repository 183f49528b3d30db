"""Whether a row is there, asked for less than it costs to compose the question: most pages ask it first."""

import functools
import uuid

from django.db import connection
from psycopg import sql

from tenancy.scope import current_scope


def in_scope(table: str, **columns: uuid.UUID) -> bool:
    """Tell whether a tenant-owned table has a row with these values, of the tenant in scope (of any in the platform's).

    Names of the table and the columns are the caller's own, never a request's.
    """
    with connection.cursor() as cursor:
        cursor.execute(_statement(table, *columns), [*columns.values(), *[current_scope().tenant_id] * 2])
        return cursor.fetchone() is not None


@functools.cache
def _statement(table: str, *columns: str) -> str:
    asked = sql.SQL(" AND ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in columns)
    text = sql.SQL("SELECT 1 FROM {} WHERE {} AND (%s::uuid IS NULL OR tenant_id = %s)")
    return text.format(sql.Identifier(table), asked).as_string()
