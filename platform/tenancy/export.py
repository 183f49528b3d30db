"""Everything a tenant owns, as JSON lines: one file per table, read under the tenant's own row-level security."""

import json
import zipfile
from collections.abc import Iterator
from typing import IO, Any, cast

from django.apps import apps
from django.db import connection, models
from django.utils import timezone
from psycopg import sql

from tenancy.models import Tenant

BATCH = 2000
README = """Everything the platform keeps about one tenant: one file of JSON lines per table, times in UTC.

manifest.json counts the rows. Data files are not inside: catalog_partition.jsonl names each by its SHA-256 and size;
they are the files the tenant uploaded. Secrets are never exported: passwords, digests of tokens and of links.
"""


def write(tenant: Tenant, target: IO[bytes]) -> dict[str, int]:
    """Write a zip of all rows of the tenant in scope; returns table -> rows. What its role may not read stays out."""
    counts: dict[str, int] = {}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README)
        for table in tenant_tables():
            if columns := _readable(table):
                with archive.open(f"{table}.jsonl", "w") as file:
                    counts[table] = 0
                    for line in _lines(table, columns, tenant):
                        file.write(line)
                        counts[table] += 1
        people = json.dumps(list(_people()), default=str)
        archive.writestr("people.json", people)
        manifest = {
            "tenant": {"id": str(tenant.id), "slug": tenant.slug, "name": tenant.name, "domain": tenant.domain},
            "made_at": timezone.now().isoformat(),
            "rows": counts,
        }
        archive.writestr("manifest.json", json.dumps(manifest, indent=1))
    return counts


def tenant_tables() -> list[str]:
    """Return every table with a `tenant` column."""
    return sorted(
        model._meta.db_table
        for model in apps.get_models()
        if any(field.name == "tenant" and isinstance(field, models.ForeignKey) for field in model._meta.local_fields)
    )


def _readable(table: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname::text FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
            " AND has_column_privilege(attrelid, attnum, 'SELECT') ORDER BY attnum",
            [table],
        )
        return [row[0] for row in cursor.fetchall() if row[0] != "digest"]


def _lines(table: str, columns: list[str], tenant: Tenant) -> Iterator[bytes]:
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


def _people() -> Iterator[dict[str, Any]]:
    from tenancy.selectors import members

    for row in members():
        yield {"id": row.user_id, "email": row.user.email, "name": row.user.name, "role": row.role}
