"""Raw SQL as the tenants' web process: one tenant's transaction sees, takes and touches nothing of another's."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, ProgrammingError, connection, transaction

from registry.models import VerticalModel
from tenancy.ids import new_id
from tenancy.models import ApiToken, AuditEntry, Membership, Tenant
from tenancy.scope import TenantScopeMissing, announce, platform_scope, tenant_scope
from tests.kit import domain
from tests.kit.cast import Cast
from tests.kit.factories import make_token
from tests.kit.roles import APP, PLATFORM, database_role
from tests.security.test_tables import tenant_tables


def ask(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Return all rows, or [] for a statement without any."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def refused(error: type[DatabaseError], text: str) -> Iterator[None]:
    """Expect the database to refuse, and leave the test's transaction usable."""
    with pytest.raises(error, match=text), transaction.atomic():
        yield


@pytest.fixture
def filled(cast: Cast) -> Cast:
    """The cast with a stream, a partition, a model and a token in either tenant."""
    with database_role(PLATFORM), platform_scope("test"):
        for tenant, user in ((cast.tenant, cast.owner), (cast.elsewhere, cast.stranger)):
            stream = domain.make_stream(tenant)
            domain.make_partition(stream)
            domain.make_run(tenant, domain.make_model(stream), state="queued")
            make_token(user, tenant, ["runs:read"])
            AuditEntry.objects.create(tenant=tenant, actor_label="test", action="a.b", target_type="t")
    return cast


def test_without_a_tenant_there_are_no_rows(filled: Cast, as_app: None) -> None:
    for table in tenant_tables():
        if ask("SELECT has_any_column_privilege(%s, 'SELECT')", table) == [(True,)]:
            assert ask(f'SELECT count(*) FROM "{table}"') == [(0,)], table


def test_a_tenant_sees_its_own_rows_alone(filled: Cast, as_app: None) -> None:
    seen = set()
    with tenant_scope(filled.tenant.id, filled.owner.id):
        for table in tenant_tables():
            if ask("SELECT has_column_privilege(%s, 'tenant_id', 'SELECT')", table) == [(True,)]:
                owners = {row[0] for row in ask(f'SELECT DISTINCT tenant_id FROM "{table}"')}
                assert owners <= {filled.tenant.id}, table
                seen |= {table} if owners else set()
        assert {row[0] for row in ask("SELECT id FROM tenancy_tenant")} == {filled.tenant.id}
        members = {filled.owner.id, filled.engineer.id, filled.viewer.id, filled.billing.id}
        assert {row[0] for row in ask("SELECT id FROM tenancy_user")} == members
    assert seen >= {"catalog_stream", "catalog_partition", "registry_verticalmodel", "runs_run", "tenancy_apitoken"}


def test_rows_of_the_platform_itself_stay_hidden(filled: Cast, as_app: None) -> None:
    with database_role(PLATFORM), platform_scope("test"):
        make_token(filled.admin, None, ["tenants:read"])
    with tenant_scope(filled.tenant.id, filled.owner.id):
        assert ApiToken.objects.count() == 1
        assert ask("SELECT count(*) FROM tenancy_apitoken WHERE tenant_id IS NULL") == [(0,)]


def test_no_row_can_be_written_for_another_tenant(filled: Cast, as_app: None) -> None:
    with tenant_scope(filled.tenant.id, filled.owner.id):
        with refused(ProgrammingError, "row-level security"):
            AuditEntry(tenant=filled.elsewhere, actor_label="x", action="a.b", target_type="t").save(force_insert=True)
        with refused(ProgrammingError, "row-level security"):
            AuditEntry(tenant=None, actor_label="x", action="a.b", target_type="t").save(force_insert=True)
        with refused(ProgrammingError, "row-level security"):
            ask(
                "INSERT INTO tenancy_membership (id, created_at, tenant_id, user_id, role)"
                " VALUES (%s, now(), %s, %s, 'owner')",
                new_id(),
                filled.elsewhere.id,
                filled.owner.id,
            )


def test_no_row_can_be_moved_to_or_taken_from_another_tenant(filled: Cast, as_app: None) -> None:
    with tenant_scope(filled.tenant.id, filled.owner.id):
        with refused(ProgrammingError, "permission denied|row-level security"):
            ask("UPDATE catalog_stream SET tenant_id = %s", filled.elsewhere.id)
        with refused(ProgrammingError, "permission denied"):
            ask(
                "UPDATE tenancy_membership SET tenant_id = %s WHERE user_id = %s", filled.elsewhere.id, filled.viewer.id
            )
        ask("UPDATE tenancy_membership SET role = 'viewer' WHERE tenant_id = %s", filled.elsewhere.id)
        ask("DELETE FROM tenancy_membership WHERE tenant_id = %s", filled.elsewhere.id)
    with database_role(PLATFORM), platform_scope("test"):
        assert Membership.objects.get(tenant=filled.elsewhere).role == "owner"


def test_an_own_membership_elsewhere_can_be_read_but_not_changed(filled: Cast, as_app: None) -> None:
    with database_role(PLATFORM), platform_scope("test"):
        Membership.objects.create(tenant=filled.elsewhere, user=filled.viewer, role="viewer")
    with tenant_scope(filled.tenant.id, filled.viewer.id):
        assert ask("SELECT count(*) FROM tenancy_membership WHERE tenant_id = %s", filled.elsewhere.id) == [(1,)]
        ask("UPDATE tenancy_membership SET role = 'owner' WHERE tenant_id = %s", filled.elsewhere.id)
        ask("DELETE FROM tenancy_membership WHERE tenant_id = %s", filled.elsewhere.id)
    with database_role(PLATFORM), platform_scope("test"):
        assert Membership.objects.get(tenant=filled.elsewhere, user=filled.viewer).role == "viewer"


def test_a_foreign_key_cannot_point_into_another_tenant(filled: Cast) -> None:
    """As the platform's role, which the policies let through: the key itself refuses."""
    with platform_scope("test"):
        theirs = VerticalModel.objects.get(tenant=filled.elsewhere)
    with refused(IntegrityError, "tenant"):
        ask("UPDATE registry_verticalmodel SET stream_id = %s WHERE tenant_id = %s", theirs.stream_id, filled.tenant.id)
        ask("SET CONSTRAINTS ALL IMMEDIATE")
    with refused(IntegrityError, "tenant"):
        ask("UPDATE runs_run SET state = 'failed', model_id = %s WHERE tenant_id = %s", theirs.id, filled.tenant.id)
        ask("SET CONSTRAINTS ALL IMMEDIATE")


def test_key_checks_do_not_tell_whether_a_foreign_id_exists(filled: Cast, as_app: None) -> None:
    with database_role(PLATFORM), platform_scope("test"):
        real = VerticalModel.objects.get(tenant=filled.elsewhere)
    messages = []
    for model_id in (real.id, new_id()):
        with (
            tenant_scope(filled.tenant.id, filled.owner.id),
            pytest.raises(DatabaseError) as caught,
            transaction.atomic(),
        ):
            ask(
                "INSERT INTO registry_modelversion (id, created_at, tenant_id, model_id, number, spec, sha256,"
                " serving_parameters, serving_flops) VALUES (%s, now(), %s, %s, 7, '{}', 'x', 1, 1)",
                new_id(),
                filled.tenant.id,
                model_id,
            )
            ask("SET CONSTRAINTS ALL IMMEDIATE")
        messages.append((type(caught.value), getattr(caught.value.__cause__, "sqlstate", "")))
    assert messages[0] == messages[1]


def test_the_scope_ends_with_the_block_and_with_the_transaction(filled: Cast, as_app: None) -> None:
    with tenant_scope(filled.tenant.id, filled.owner.id):
        with tenant_scope(filled.elsewhere.id, filled.stranger.id):
            assert ask("SELECT DISTINCT tenant_id FROM catalog_stream") == [(filled.elsewhere.id,)]
        assert ask("SELECT DISTINCT tenant_id FROM catalog_stream") == [(filled.tenant.id,)]
        with pytest.raises(RuntimeError), tenant_scope(filled.elsewhere.id):
            raise RuntimeError
        assert ask("SELECT DISTINCT tenant_id FROM catalog_stream") == [(filled.tenant.id,)]
    assert ask("SELECT count(*) FROM catalog_stream") == [(0,)]


def test_the_manager_raises_without_a_scope(filled: Cast) -> None:
    for query in (VerticalModel.objects.all, VerticalModel.objects.count, ApiToken.objects.first):
        with pytest.raises(TenantScopeMissing):
            query()


def test_the_manager_filters_even_where_the_database_would_not(filled: Cast) -> None:
    """Second wall alone: as the platform's role, under a tenant's scope."""
    with tenant_scope(filled.tenant.id):
        assert {row.tenant_id for row in VerticalModel.objects.all()} == {filled.tenant.id}


def test_an_announced_user_without_a_tenant_sees_only_where_they_belong(filled: Cast, as_app: None) -> None:
    announce(None, filled.stranger.id)
    assert {row[0] for row in ask("SELECT id FROM tenancy_tenant")} == {filled.elsewhere.id}
    assert {row[0] for row in ask("SELECT id FROM tenancy_user")} == {filled.stranger.id}
    assert ask("SELECT count(*) FROM catalog_stream") == [(0,)]


def test_the_audit_log_refuses_changes_from_every_role(filled: Cast) -> None:
    for role in (APP, PLATFORM):
        with database_role(role), tenant_scope(filled.tenant.id, filled.owner.id):
            with refused(ProgrammingError, "permission denied"):
                ask("UPDATE tenancy_auditentry SET action = 'x'")
            with refused(ProgrammingError, "permission denied"):
                ask("DELETE FROM tenancy_auditentry")


def test_roles_cannot_be_changed_from_inside(filled: Cast) -> None:
    """The suite signs in as superuser, so `SET ROLE` proves nothing here: the memberships do."""
    assert ask("SELECT pg_has_role(%s, %s, 'MEMBER')", APP, PLATFORM) == [(False,)]
    assert ask("SELECT pg_has_role(%s, %s, 'MEMBER')", PLATFORM, "exfm_owner") == [(False,)]


CAME_OF_IT: dict[str, Any] = {
    "state": "running", "attempts": 1, "written_bytes": 1, "expected_bytes": -1, "uri": "tenants/x/secret.zip",
    "sha256": "0" * 64, "missing": 1, "error": "x", "mend": "x", "lease_token": str(new_id()),
    "lease_expires_at": "2030-01-01", "bytes": 1, "files": 1, "rows": 1, "started_at": "2030-01-01",
    "finished_at": "2030-01-01", "expires_at": "2030-01-01",
}  # fmt: skip


def insert_export(tenant: Tenant, **values: Any) -> None:
    """Insert an export that waits for a worker, but for the values."""
    row = {"id": new_id(), "tenant_id": tenant.id, "include": ["rows"], "state": "queued", "attempts": 0,
           "written_bytes": 0, "expected_bytes": 0, "uri": "", "sha256": "", "missing": 0, "error": "", "mend": "",
           **values}  # fmt: skip
    marks = ", ".join(["%s"] * len(row))
    ask(f"INSERT INTO tenancy_tenantexport (created_at, {', '.join(row)}) VALUES (now(), {marks})", *row.values())


def test_an_export_is_only_asked_for(cast: Cast, as_app: None) -> None:
    """What came of it, workers alone say: else a row could name any file as the tenant's."""
    finished: dict[str, Any] = {"state": "done", "uri": "tenants/x/secret.zip", "expires_at": "2030-01-01"}
    with tenant_scope(cast.tenant.id, cast.owner.id):
        for values in (finished, {"state": "failed"}, *({name: value} for name, value in CAME_OF_IT.items())):
            # The state and the file go together by a check of their own, which a row must pass to come to this one.
            with refused(DatabaseError, "row-level security policy|done_has_file"):
                insert_export(cast.tenant, **values)
        with refused(ProgrammingError, "row-level security policy"):
            insert_export(cast.tenant, **finished)
        insert_export(cast.tenant)
        with refused(ProgrammingError, "permission denied"):
            ask("UPDATE tenancy_tenantexport SET state = 'done', uri = 'x'")
    columns = {row[0] for row in ask("SELECT column_name FROM information_schema.columns"
                                     " WHERE table_name = 'tenancy_tenantexport'")}  # fmt: skip
    assert columns == {*CAME_OF_IT, "id", "created_at", "tenant_id", "requested_by_id", "include"}
