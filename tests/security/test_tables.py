"""The third wall, seen from PostgreSQL's own catalogue: no table, key or privilege may be forgotten."""

from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models

from tenancy.rls import APP, PLATFORM
from tests.kit.roles import OWNER, database_role

APPEND_ONLY = ("tenancy_auditentry", "budgets_ledgerentry")

OUTSIDE_TENANTS = {
    "tenancy_identity",
    "tenancy_recoverycode",
    "tenancy_secondfactor",
    "tenancy_tenant",
    "tenancy_user",
}
"""Tables with policies of their own: no `tenant_id`, yet not everybody's."""

OWNERS_FUNCTIONS = {
    "budgets_fm_shares",
    "budgets_my_fm_share",
    "catalog_partition_unused",
    "exfm_adopt_identity",
    "exfm_audit_account",
    "exfm_change_password",
    "exfm_create_user",
    "exfm_erase_tenant",
    "exfm_identity",
    "exfm_invitation",
    "exfm_login",
    "exfm_members_with_second_factor",
    "exfm_password_reset",
    "exfm_teachers_at_work_on",
    "exfm_token",
    "exfm_touch_login",
    "exfm_touch_token",
    "exfm_use_password_reset",
    "exfm_user",
    "registry_next_slot",
}
"""Functions that see more than their caller. Each was looked at; a new one has to be, too."""


def tenant_tables() -> list[str]:
    """Return every table with a `tenant` column, by the models."""
    return sorted(
        model._meta.db_table
        for model in apps.get_models()
        if any(field.name == "tenant" and isinstance(field, models.ForeignKey) for field in model._meta.local_fields)
    )


def ask(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Return all rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


@pytest.mark.django_db
def test_the_models_and_the_database_agree_on_what_belongs_to_a_tenant() -> None:
    columns = ask(
        "SELECT c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " WHERE a.attname = 'tenant_id' AND c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace"
    )
    assert sorted(row[0] for row in columns) == tenant_tables()
    assert len(tenant_tables()) >= 20


@pytest.mark.django_db
@pytest.mark.parametrize("table", sorted({*tenant_tables(), *OUTSIDE_TENANTS}))
def test_row_level_security_is_forced_with_a_policy_for_each_role(table: str) -> None:
    enabled, forced, owner = ask(
        "SELECT relrowsecurity, relforcerowsecurity, relowner::regrole::text FROM pg_class WHERE oid = %s::regclass",
        table,
    )[0]
    assert (enabled, forced, owner) == (True, True, OWNER)
    policies = ask(
        "SELECT polname, polroles::regrole[]::text[], pg_get_expr(polqual, polrelid), polcmd FROM pg_policy"
        " WHERE polrelid = %s::regclass AND polpermissive",  # restrictive ones take away and give nothing
        table,
    )
    by_role: dict[str, list[tuple[str, str]]] = {}
    for _, roles, condition, command in policies:
        for role in roles:
            by_role.setdefault(role, []).append((condition, command))
    assert set(by_role) <= {APP, PLATFORM, OWNER}, "a policy for PUBLIC or a stranger"
    assert by_role[PLATFORM] == [("true", "*")]
    for condition, _ in by_role[APP]:
        assert condition != "true"
        assert "app.tenant" in condition or "app.user" in condition


@pytest.mark.django_db
def test_every_reference_between_tenants_rows_includes_the_tenant() -> None:
    """Key checks bypass the policies: a key without the tenant would tell, and take, another tenant's ids."""
    tables = set(tenant_tables())
    keys = ask(
        """
        SELECT c.conrelid::regclass::text, c.confrelid::regclass::text,
               ARRAY(SELECT attname::text FROM unnest(c.conkey) k
                     JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k)
        FROM pg_constraint c WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace
        """
    )
    plain = {(child, columns[0]) for child, parent, columns in keys if {child, parent} <= tables and len(columns) == 1}
    composite = {
        (child, column)
        for child, parent, columns in keys
        if "tenant_id" in columns and len(columns) == 2
        for column in columns
        if column != "tenant_id"
    }
    guarded = {
        (table, name.removeprefix(f"{table}_").removesuffix("_tenant"))
        for table, name in ask(
            "SELECT t.tgrelid::regclass::text, t.tgname FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid"
            " WHERE p.proname = 'exfm_same_tenant'"
        )
    }
    assert len(plain) >= 20
    assert plain - composite - guarded == set()


@pytest.mark.django_db
def test_no_role_stands_above_the_policies() -> None:
    roles = ask(
        "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname LIKE 'exfm%%'"
    )
    assert {row[0] for row in roles} == {APP, PLATFORM, OWNER}
    assert all(row[1:] == (False, False, False, False) for row in roles)
    memberships = ask(
        "SELECT member::regrole::text, roleid::regrole::text FROM pg_auth_members"
        " WHERE member::regrole::text LIKE 'exfm%%'"
    )
    assert memberships == []


@pytest.mark.django_db
@pytest.mark.parametrize("role", [APP, PLATFORM])
@pytest.mark.parametrize("table", APPEND_ONLY)
def test_what_is_append_only_can_be_neither_changed_nor_deleted(table: str, role: str) -> None:
    for privilege in ("UPDATE", "DELETE", "TRUNCATE"):
        assert ask("SELECT has_table_privilege(%s, %s, %s)", role, table, privilege) == [(False,)]
        assert ask("SELECT has_any_column_privilege(%s, %s, 'UPDATE')", role, table) == [(False,)]


@pytest.mark.django_db
def test_tenants_processes_can_never_select_a_password_or_digest() -> None:
    assert ask("SELECT has_column_privilege(%s, 'tenancy_apitoken', 'digest', 'SELECT')", APP) == [(False,)]
    assert ask("SELECT has_column_privilege(%s, 'tenancy_user', 'password', 'SELECT')", APP) == [(False,)]
    assert ask("SELECT has_any_column_privilege(%s, 'tenancy_user', 'UPDATE')", APP) == [(False,)]


@pytest.mark.django_db
def test_neither_role_may_truncate_or_create() -> None:
    tables = ask("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
    for (table,) in tables:
        for role in (APP, PLATFORM):
            for privilege in ("TRUNCATE", "REFERENCES", "TRIGGER"):
                assert ask("SELECT has_table_privilege(%s, %s, %s)", role, f'"{table}"', privilege) == [(False,)], table
    for role in (APP, PLATFORM):
        assert ask("SELECT has_schema_privilege(%s, 'public', 'CREATE')", role) == [(False,)]


@pytest.mark.django_db
def test_tenants_processes_use_no_sequence() -> None:
    """A sequence would tell how much the others do; ids are UUIDv7 made in Python."""
    sequences = ask("SELECT oid::regclass::text FROM pg_class WHERE relkind = 'S'")
    for (sequence,) in sequences:
        assert ask("SELECT has_sequence_privilege(%s, %s, 'USAGE, SELECT, UPDATE')", APP, sequence) == [(False,)]


@pytest.mark.django_db
def test_views_run_with_the_rights_of_the_reader() -> None:
    views = ask(
        "SELECT relname, coalesce(reloptions::text[], '{}') FROM pg_class"
        " WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace"
    )
    assert [name for name, options in views if "security_invoker=true" not in options] == []


@pytest.mark.django_db
def test_functions_that_run_as_the_owner_are_few_and_fix_their_search_path() -> None:
    functions = ask(
        "SELECT proname, coalesce(proconfig, '{}'), proacl::text FROM pg_proc"
        " WHERE prosecdef AND pronamespace = 'public'::regnamespace"
    )
    assert {name for name, _, _ in functions} == OWNERS_FUNCTIONS
    for name, config, rights in functions:
        assert config == ["search_path=pg_catalog, pg_temp"], name
        assert "=X/" not in rights.replace(f"{APP}=X/", "").replace(f"{PLATFORM}=X/", "").replace(f"{OWNER}=X/", ""), (
            name
        )


@pytest.mark.django_db
def test_only_the_owner_of_the_tables_owns_anything() -> None:
    owners = ask(
        "SELECT DISTINCT relowner::regrole::text FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')"
    )
    assert owners == [(OWNER,)]


@pytest.mark.django_db
def test_the_platform_role_reads_every_table_and_the_app_role_only_what_was_granted() -> None:
    tables = [
        row[0]
        for row in ask("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
    ]
    unread = [
        table
        for table in tables
        if ask("SELECT has_table_privilege(%s, %s, 'SELECT')", PLATFORM, f'"{table}"') != [(True,)]
    ]
    assert unread == []
    with database_role(APP):
        assert ask("SELECT has_table_privilege('django_admin_log', 'SELECT')") == [(False,)]
