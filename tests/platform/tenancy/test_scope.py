"""Scopes: declared, nested, always undone, and never shared between tasks."""

import asyncio

import pytest
from django.db import connection

from tenancy.ids import new_id
from tenancy.managers import TenantManager
from tenancy.models import ApiToken, Membership
from tenancy.scope import TenantScopeMissing, current_scope, platform_scope, tenant_scope
from tests.kit.cast import Cast


def setting() -> str:
    """Return the tenant as PostgreSQL knows it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.tenant', true)")
        return cursor.fetchone()[0] or ""


def test_without_a_scope_there_is_no_queryset() -> None:
    with pytest.raises(TenantScopeMissing):
        Membership.objects.all()


def test_scopes_nest_and_end(cast: Cast) -> None:
    with tenant_scope(cast.tenant.id):
        assert setting() == str(cast.tenant.id)
        with tenant_scope(cast.elsewhere.id):
            assert current_scope().tenant_id == cast.elsewhere.id
        assert (current_scope().tenant_id, setting()) == (cast.tenant.id, str(cast.tenant.id))
    assert setting() == ""
    with pytest.raises(TenantScopeMissing):
        current_scope()


def test_an_error_ends_the_scope_too(cast: Cast) -> None:
    with pytest.raises(RuntimeError), tenant_scope(cast.tenant.id):
        raise RuntimeError
    assert setting() == ""
    with pytest.raises(TenantScopeMissing):
        current_scope()


@pytest.mark.django_db(transaction=True)
def test_the_announcement_dies_with_the_transaction() -> None:
    with tenant_scope(new_id()):
        assert setting()
    assert setting() == ""


def test_rows_of_another_tenant_cannot_be_created_in_bulk(cast: Cast) -> None:
    rows = [Membership(tenant=cast.elsewhere, user=cast.viewer, role="viewer")]
    with tenant_scope(cast.tenant.id), pytest.raises(ValueError, match="another tenant"):
        Membership.objects.bulk_create(rows)


def test_the_platforms_scope_sees_all(cast: Cast) -> None:
    with platform_scope("test"):
        assert Membership.objects.count() == 5
    assert isinstance(ApiToken.objects, TenantManager)


def test_concurrent_tasks_have_scopes_of_their_own() -> None:
    from tenancy.scope import Scope, _scope

    async def task(name: str) -> str:
        token = _scope.set(Scope(tenant_id=None, reason=name))
        try:
            await asyncio.sleep(0)
            return current_scope().reason
        finally:
            _scope.reset(token)

    async def both() -> list[str]:
        return list(await asyncio.gather(task("a"), task("b")))

    assert asyncio.run(both()) == ["a", "b"]
