"""The migration operations: they apply, undo themselves, and refuse a database without roles."""

import pytest
from django.core.management import CommandError
from django.db import connection

from tenancy import rls
from tenancy.rls import EnableRLS, Grant, TenantForeignKey

pytestmark = pytest.mark.django_db

TABLES = """
CREATE TABLE sample_parent (id uuid PRIMARY KEY, tenant_id uuid);
CREATE TABLE sample_child (id uuid PRIMARY KEY, tenant_id uuid, parent_id uuid, other_id uuid);
"""

OPERATIONS = [
    EnableRLS(
        "sample_parent", app="SELECT, INSERT", parent=True, also_reads="true", owner=("SELECT", "INSERT", "UPDATE")
    ),
    EnableRLS("sample_child", app="SELECT"),
    TenantForeignKey("sample_child", "parent_id", "sample_parent"),
    TenantForeignKey("sample_child", "other_id", "sample_parent", platform_parent=True),
    Grant("sample_child", app="SELECT (id)", platform="SELECT"),
]


def count(what: str) -> int:
    """Count the samples' rows of a system catalogue."""
    queries = {
        "policies": "SELECT count(*) FROM pg_policies WHERE tablename LIKE 'sample%'",
        "keys": "SELECT count(*) FROM pg_constraint WHERE conname LIKE 'sample%tenant%' AND contype IN ('f', 'u')",
        "triggers": "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'sample%tenant'",
        "forced": "SELECT count(*) FROM pg_class WHERE relname LIKE 'sample%' AND relforcerowsecurity",
        "grants": "SELECT count(*) FROM information_schema.column_privileges"
        " WHERE table_name LIKE 'sample%' AND grantee LIKE 'exfm_app'",
    }
    with connection.cursor() as cursor:
        cursor.execute(queries[what])
        return int(cursor.fetchone()[0])


def test_every_operation_applies_and_undoes_itself(as_role: object) -> None:
    from tests.kit.roles import OWNER, database_role

    with database_role(OWNER), connection.schema_editor() as editor:
        editor.execute(TABLES)
        for operation in OPERATIONS:
            operation.database_forwards("sample", editor, None, None)
            assert operation.describe()
        seen = {what: count(what) for what in ("policies", "keys", "triggers", "forced", "grants")}
        assert seen == {"policies": 8, "keys": 2, "triggers": 1, "forced": 2, "grants": 5}
        for operation in reversed(OPERATIONS):
            operation.database_backwards("sample", editor, None, None)
        assert {what: count(what) for what in seen} == dict.fromkeys(seen, 0)


def test_a_database_without_the_roles_is_refused_with_the_command_that_mends_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rls, "ROLES", ("exfm_app", "exfm_nobody"))
    with connection.schema_editor() as editor, pytest.raises(CommandError, match=r"exfm_nobody.*create_roles"):
        Grant("sample").database_forwards("sample", editor, None, None)
