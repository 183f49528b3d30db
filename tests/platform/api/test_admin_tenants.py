"""Administrators make, list, suspend and resume tenants."""

from typing import Any

import pytest
from django.core.cache import cache

from budgets.models import Budget, Quota
from tenancy.models import AuditEntry, Membership, Tenant
from tenancy.scope import platform_scope
from tests.kit.api import Api, problem
from tests.kit.cast import Cast
from tests.kit.factories import PASSWORD, make_token
from tests.kit.roles import APP, PLATFORM, database_role

NEW: dict[str, Any] = {
    "slug": "acme",
    "name": "Acme",
    "domain": "shopping",
    "owner": {"email": "Boss@acme.example", "name": "Boss", "password": PASSWORD},
    "budget": {"amount": "25.00", "reason": "trial"},
    "quota": {"models_limit": 3},
}


@pytest.fixture(autouse=True)
def _as_the_admin_process(_as_the_web_process: None, as_platform: None) -> None:
    cache.clear()


def test_a_tenant_comes_with_owner_budget_and_quota(cast: Cast) -> None:
    answer = Api(cast.admin).post("admin/tenants", NEW)
    assert answer.status_code == 201, answer.content
    assert answer.json()["slug"] == "acme"
    with platform_scope("test"):
        tenant = Tenant.objects.get(slug="acme")
        membership = Membership.objects.select_related("user").get(tenant=tenant)
        assert (membership.role, membership.user.email) == ("owner", "boss@acme.example")
        assert str(Budget.objects.get(tenant=tenant).amount) == "25.000000"
        assert Quota.objects.get(tenant=tenant).models_limit == 3
        actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert actions >= {"tenant.create", "user.create", "member.add", "budget.open"}
    with database_role(APP):
        signed_in = Api().post("session", {"email": "boss@acme.example", "password": PASSWORD})
    assert signed_in.json()["memberships"][0]["tenant"]["slug"] == "acme"


def test_a_token_of_an_administrator_does_the_same(cast: Cast) -> None:
    _, text = make_token(cast.admin, None, ["tenants:read"])
    api = Api(token=text)
    assert {row["slug"] for row in api.get("admin/tenants").json()["results"]} == {
        cast.tenant.slug,
        cast.elsewhere.slug,
    }
    problem(api.post("admin/tenants", NEW), 403, "scope_missing")


def test_all_or_nothing(cast: Cast) -> None:
    bad = {**NEW, "owner": {"email": "x@acme.example", "name": "X", "password": "short"}}
    body = problem(Api(cast.admin).post("admin/tenants", bad), 422, "password_weak")
    assert body["field"] == "password"
    problem(Api(cast.admin).post("admin/tenants", {**NEW, "slug": cast.tenant.slug}), 409, "tenant_exists")
    with platform_scope("test"):
        assert not Tenant.objects.filter(slug="acme").exists()
        assert AuditEntry.objects.count() == 0


def test_an_existing_user_may_own_a_second_tenant(cast: Cast) -> None:
    answer = Api(cast.admin).post("admin/tenants", {**NEW, "owner": {"email": cast.owner.email}})
    assert answer.status_code == 201
    with database_role(APP):
        slugs = {row["tenant"]["slug"] for row in Api(cast.owner).get("session").json()["memberships"]}
    assert slugs == {cast.tenant.slug, "acme"}


def test_a_suspended_tenant_is_shut_out_until_resumed(cast: Cast) -> None:
    api, slug = Api(cast.admin), cast.tenant.slug
    problem(api.post(f"admin/tenants/{slug}/suspend", {}), 400, "validation_failed")
    assert api.post(f"admin/tenants/{slug}/suspend", {"reason": "unpaid"}).json()["status"] == "suspended"
    problem(Api(cast.owner).get(f"tenants/{slug}/members"), 403, "tenant_suspended")
    assert api.post(f"admin/tenants/{slug}/resume", {"reason": "paid"}).json()["status"] == "active"
    assert Api(cast.owner).get(f"tenants/{slug}/members").status_code == 200
    with platform_scope("test"):
        reasons = list(
            AuditEntry.objects.filter(action="tenant.status").order_by("id").values_list("reason", flat=True)
        )
    assert reasons == ["unpaid", "paid"]


def test_a_repeated_create_answers_the_same(cast: Cast) -> None:
    api = Api(cast.admin)
    first = api.post("admin/tenants", NEW, Idempotency_Key="acme-1")
    again = api.post("admin/tenants", NEW, Idempotency_Key="acme-1")
    assert again.json() == first.json()
    with database_role(PLATFORM), platform_scope("test"):
        assert Tenant.objects.filter(slug="acme").count() == 1
