"""The third wall: migration operations for row-level security, grants, and foreign keys that include the tenant.

Three database roles: the one that migrates owns the tables; `exfm_app` sees the rows of `app.tenant`; `exfm_platform`
sees all rows by policy. Every operation is reversible and says what to do when the roles do not exist yet.
"""

from typing import Any

from django.core.management.base import CommandError
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation, OperationCategory

APP = "exfm_app"
PLATFORM = "exfm_platform"
ROLES = (APP, PLATFORM)
EVERYTHING = "SELECT, INSERT, UPDATE, DELETE"

TENANT = "nullif(current_setting('app.tenant', true), '')::uuid"
USER = "nullif(current_setting('app.user', true), '')::uuid"
"""SQL for who is asking; null, hence no rows, outside a scope."""


def require_roles(editor: BaseDatabaseSchemaEditor) -> None:
    """Refuse to migrate a database without the roles that the policies name."""
    if editor.collect_sql:
        return
    with editor.connection.cursor() as cursor:
        cursor.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [list(ROLES)])
        missing = set(ROLES) - {row[0] for row in cursor.fetchall()}
    if missing:
        raise CommandError(
            f"The database roles {', '.join(sorted(missing))} do not exist."
            " Run `manage.py create_roles` as a superuser first."
        )


class _SQL(Operation):
    """An operation that is SQL forwards and backwards and leaves Django's models alone."""

    reduces_to_sql = True
    reversible = True
    elidable = False
    category = OperationCategory.SQL

    def forwards(self) -> list[str]:
        """Return the statements that apply the operation."""
        raise NotImplementedError

    def backwards(self) -> list[str]:
        """Return the statements that undo it."""
        raise NotImplementedError

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Models do not know about policies."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Run `forwards`."""
        require_roles(schema_editor)
        for statement in self.forwards():
            schema_editor.execute(statement, params=None)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Run `backwards`."""
        for statement in self.backwards():
            schema_editor.execute(statement, params=None)


class Grant(_SQL):
    """Give the two roles their privileges on a table; `app=""` hides the table from tenants' processes.

    Privileges are SQL: `"SELECT, INSERT"`, `"SELECT (id, name), UPDATE (name)"`.
    """

    def __init__(self, table: str, app: str = "", platform: str = EVERYTHING) -> None:
        self.table = table
        self.app = app
        self.platform = platform

    def forwards(self) -> list[str]:
        """Revoke what other migrations left, then grant exactly this."""
        statements = [f'REVOKE ALL ON "{self.table}" FROM PUBLIC, {APP}, {PLATFORM}']
        for role, privileges in ((APP, self.app), (PLATFORM, self.platform)):
            if privileges:
                statements.append(f'GRANT {privileges} ON "{self.table}" TO {role}')
        return statements

    def backwards(self) -> list[str]:
        """Take everything back."""
        return [f'REVOKE ALL ON "{self.table}" FROM PUBLIC, {APP}, {PLATFORM}']

    def describe(self) -> str:
        """For `migrate --plan`."""
        return f"Grant privileges on {self.table}"


class EnableRLS(_SQL):
    """Force row-level security on a tenant-owned table and grant the two roles their privileges.

    Rows whose tenant is null (the platform's) are invisible to `exfm_app`.

    Args:
        table: the table; it has `tenant_id` and `id` unless `app_sees` says otherwise.
        app: privileges of `exfm_app`.
        platform: privileges of `exfm_platform`.
        parent: add UNIQUE (tenant_id, id), which `TenantForeignKey` of other tables refers to.
        app_sees: SQL condition on rows for `exfm_app` instead of the tenant's.
        also_reads: SQL condition on further rows that `exfm_app` may read but not change.
        owner: commands ("SELECT", "UPDATE") that SECURITY DEFINER functions need on all rows.
    """

    def __init__(
        self,
        table: str,
        app: str = "SELECT",
        platform: str = EVERYTHING,
        parent: bool = False,
        app_sees: str = "",
        also_reads: str = "",
        owner: tuple[str, ...] = (),
    ) -> None:
        self.table = table
        self.app = app
        self.platform = platform
        self.parent = parent
        self.app_sees = app_sees
        self.also_reads = also_reads
        self.owner = owner

    def forwards(self) -> list[str]:
        """Enable, force, write the policies, grant."""
        sees = self.app_sees or f"tenant_id = {TENANT}"
        table = f'"{self.table}"'
        statements = [
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY tenant_rows ON {table} FOR ALL TO {APP} USING ({sees}) WITH CHECK ({sees})",
            f"CREATE POLICY platform_rows ON {table} FOR ALL TO {PLATFORM} USING (true) WITH CHECK (true)",
        ]
        if self.also_reads:
            statements.append(f"CREATE POLICY further_rows ON {table} FOR SELECT TO {APP} USING ({self.also_reads})")
        for command in self.owner:
            statements += OwnerPolicy(self.table, command).forwards()
        if self.parent:
            statements.append(f'ALTER TABLE {table} ADD CONSTRAINT "{self.table}_tenant_key" UNIQUE (tenant_id, id)')
        return statements + Grant(self.table, self.app, self.platform).forwards()

    def backwards(self) -> list[str]:
        """Undo in reverse order."""
        table = f'"{self.table}"'
        statements = Grant(self.table).backwards()
        if self.parent:
            statements.append(f'ALTER TABLE {table} DROP CONSTRAINT "{self.table}_tenant_key"')
        names = ["tenant_rows", "platform_rows", *(f"owner_{command.lower()}" for command in self.owner)]
        names += ["further_rows"] if self.also_reads else []
        statements += [f"DROP POLICY {name} ON {table}" for name in names]
        return [
            *statements,
            f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
        ]

    def describe(self) -> str:
        """For `migrate --plan`."""
        return f"Row-level security on {self.table}"


class TenantForeignKey(_SQL):
    """Tie a reference between tenant-owned rows to one tenant: key checks bypass the policies, so the key includes it.

    `platform_parent=True` where a tenant's row may also refer to a row of the platform (tenant null), which a
    composite key cannot express: a trigger then refuses parents of another tenant. Rows of the platform itself may
    refer to any.
    """

    def __init__(self, table: str, column: str, parent: str, platform_parent: bool = False) -> None:
        self.table = table
        self.column = column
        self.parent = parent
        self.platform_parent = platform_parent

    @property
    def _name(self) -> str:
        return f"{self.table}_{self.column}_tenant"[:63]

    def forwards(self) -> list[str]:
        """Add the composite key, or the trigger."""
        if self.platform_parent:
            return [
                f'CREATE CONSTRAINT TRIGGER "{self._name}"'
                f' AFTER INSERT OR UPDATE OF tenant_id, "{self.column}" ON "{self.table}"'
                f" DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW"
                f' WHEN (NEW.tenant_id IS NOT NULL AND NEW."{self.column}" IS NOT NULL)'
                f" EXECUTE FUNCTION exfm_same_tenant('{self.parent}', '{self.column}')"
            ]
        return [
            f'ALTER TABLE "{self.table}" ADD CONSTRAINT "{self._name}" FOREIGN KEY (tenant_id, "{self.column}")'
            f' REFERENCES "{self.parent}" (tenant_id, id) DEFERRABLE INITIALLY DEFERRED'
        ]

    def backwards(self) -> list[str]:
        """Drop it."""
        if self.platform_parent:
            return [f'DROP TRIGGER "{self._name}" ON "{self.table}"']
        return [f'ALTER TABLE "{self.table}" DROP CONSTRAINT "{self._name}"']

    def describe(self) -> str:
        """For `migrate --plan`."""
        return f"{self.table}.{self.column} refers to a row of the same tenant"


class OwnerPolicy(_SQL):
    """Let SECURITY DEFINER functions, which run as the tables' owner, do `command` on all rows of a table."""

    def __init__(self, table: str, command: str) -> None:
        self.table = table
        self.command = command

    def forwards(self) -> list[str]:
        """Write the policy."""
        clauses = {"SELECT": "USING (true)", "DELETE": "USING (true)", "INSERT": "WITH CHECK (true)"}.get(
            self.command, "USING (true) WITH CHECK (true)"
        )
        name = f"owner_{self.command.lower()}"
        return [f'CREATE POLICY {name} ON "{self.table}" FOR {self.command} TO CURRENT_USER {clauses}']

    def backwards(self) -> list[str]:
        """Drop it."""
        return [f'DROP POLICY owner_{self.command.lower()} ON "{self.table}"']

    def describe(self) -> str:
        """For `migrate --plan`."""
        return f"Functions may {self.command} on {self.table}"


SAME_TENANT = """
CREATE FUNCTION exfm_same_tenant() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    parent_tenant uuid;
    parent_found integer;
BEGIN
    EXECUTE format('SELECT tenant_id FROM public.%I WHERE id = ($1).%I', TG_ARGV[0], TG_ARGV[1])
        INTO parent_tenant USING NEW;
    GET DIAGNOSTICS parent_found = ROW_COUNT;
    IF parent_found = 0 OR parent_tenant IS DISTINCT FROM NEW.tenant_id AND parent_tenant IS NOT NULL THEN
        RAISE foreign_key_violation USING MESSAGE =
            format('%s.%s refers to a row of another tenant', TG_TABLE_NAME, TG_ARGV[1]);
    END IF;
    RETURN NULL;
END $$
"""
"""Trigger of `TenantForeignKey(platform_parent=True)`; runs as the caller, so an invisible parent is a refused one."""


def function(signature: str, body: str) -> migrations.RunSQL:
    """Create a function that only the two roles may call."""
    return migrations.RunSQL(_created(signature, body), f"DROP FUNCTION {signature}")


def replaced(signature: str, old: str, new: str) -> list[migrations.RunSQL]:
    """Put another body, and other columns, in a function's place."""
    drop = f"DROP FUNCTION {signature}"
    return [migrations.RunSQL([drop, *_created(signature, new)], [drop, *_created(signature, old)])]


def _created(signature: str, body: str) -> list[Any]:
    return [
        body,
        f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC",
        f"GRANT EXECUTE ON FUNCTION {signature} TO {APP}, {PLATFORM}",
    ]
