"""Every route with nobody, a stranger and another tenant's token; roles are test_role_matrix's. A new route is
covered by itself."""

import pytest
from django.core.cache import cache

from api.base.routes import STREAMS
from tenancy.models import Role, Tenant
from tenancy.roles import ROLES
from tests.kit.api import Api, problem
from tests.kit.cast import Cast
from tests.kit.factories import make_token
from tests.kit.roles import PLATFORM, database_role
from tests.security.routes import Route, all_routes

ROUTES = all_routes()
TENANTS = [route for route in ROUTES if route.is_tenants]
ADMINS = [route for route in ROUTES if route.is_admins]


@pytest.fixture(autouse=True)
def _as_the_web_process(as_app: None) -> None:
    cache.clear()


def test_every_route_is_behind_a_wall_or_named_here() -> None:
    assert all(route.permission or route.access for route in ROUTES)
    assert {route.pattern for route in ROUTES if route.permission and route.view is None} == set(STREAMS)
    assert len(TENANTS) >= 8
    assert len(ADMINS) >= 4


def test_tenants_routes_are_below_their_tenant_and_admins_are_not() -> None:
    assert all(route.pattern.startswith("api/v1/tenants/<slug:tenant>/") for route in TENANTS)
    assert all(route.pattern.startswith("api/v1/admin/") for route in ADMINS)


@pytest.mark.parametrize("route", [*TENANTS, *ADMINS], ids=str)
def test_signed_out_is_401(route: Route, cast: Cast) -> None:
    problem(Api().call(route.method, route.path(cast.tenant.slug)), 401)


@pytest.mark.parametrize("route", TENANTS, ids=str)
def test_a_stranger_gets_the_404_of_a_tenant_that_does_not_exist(route: Route, cast: Cast) -> None:
    api = Api(cast.stranger)
    real = problem(api.call(route.method, route.path(cast.tenant.slug)), 404, "tenant_not_found")
    none = problem(api.call(route.method, route.path("no-such-tenant")), 404, "tenant_not_found")
    assert {**real, "request_id": ""} == {**none, "request_id": ""}


@pytest.mark.parametrize("route", TENANTS, ids=str)
def test_the_platforms_administrator_is_apart_from_every_tenant(route: Route, cast: Cast) -> None:
    problem(Api(cast.admin).call(route.method, route.path(cast.tenant.slug)), 404, "tenant_not_found")


@pytest.mark.parametrize("route", TENANTS, ids=str)
def test_another_tenants_token_is_404(route: Route, cast: Cast) -> None:
    with database_role(PLATFORM):
        _, text = make_token(cast.stranger, cast.elsewhere, sorted(ROLES[Role.OWNER]))
    problem(Api(token=text).call(route.method, route.path(cast.tenant.slug)), 404, "tenant_not_found")


@pytest.mark.parametrize("route", TENANTS, ids=str)
def test_an_administrators_token_is_no_members_token(route: Route, cast: Cast) -> None:
    with database_role(PLATFORM):
        _, text = make_token(cast.owner, None, sorted(ROLES[Role.OWNER]))
    problem(Api(token=text).call(route.method, route.path(cast.tenant.slug)), 404, "tenant_not_found")


@pytest.mark.parametrize("route", TENANTS, ids=str)
def test_a_token_without_the_scope_is_403(route: Route, cast: Cast) -> None:
    scopes = sorted(ROLES[Role.OWNER] - {route.permission})
    with database_role(PLATFORM):
        _, text = make_token(cast.owner, cast.tenant, scopes)
    problem(Api(token=text).call(route.method, route.path(cast.tenant.slug)), 403, "scope_missing")


@pytest.mark.parametrize("route", TENANTS, ids=str)
def test_a_suspended_tenant_is_403(route: Route, cast: Cast) -> None:
    with database_role(PLATFORM):
        Tenant.objects.filter(id=cast.tenant.id).update(status=Tenant.Status.SUSPENDED)
    problem(Api(cast.owner).call(route.method, route.path(cast.tenant.slug)), 403, "tenant_suspended")


@pytest.mark.parametrize("route", [route for route in TENANTS if "<uuid:" in route.pattern], ids=str)
def test_an_id_of_nothing_is_404(route: Route, cast: Cast) -> None:
    answer = Api(cast.owner).call(route.method, route.path(cast.tenant.slug), {} if route.method != "get" else None)
    assert answer.status_code in {400, 404}, answer.content
    problem(answer, answer.status_code)


@pytest.mark.parametrize("route", ADMINS, ids=str)
@pytest.mark.parametrize("who", ["owner", "stranger"])
def test_nobody_but_administrators_gets_into_the_admin_api(route: Route, who: str, cast: Cast) -> None:
    with database_role(PLATFORM):
        problem(Api(getattr(cast, who)).call(route.method, route.path()), 403, "administrators_only")


@pytest.mark.parametrize("route", ADMINS, ids=str)
def test_an_administrators_tenant_token_does_not_open_the_admin_api(route: Route, cast: Cast) -> None:
    with database_role(PLATFORM):
        _, text = make_token(cast.admin, cast.tenant, [route.permission])
        problem(Api(token=text).call(route.method, route.path()), 403, "administrators_only")


@pytest.mark.parametrize("route", [route for route in ROUTES if route.view], ids=str)
def test_methods_nobody_declared_are_405(route: Route, cast: Cast) -> None:
    declared = {other.method for other in ROUTES if other.pattern == route.pattern}
    user = cast.admin if route.is_admins else cast.owner
    for method in {"get", "post", "put", "patch", "delete"} - declared:
        with database_role(PLATFORM):
            problem(Api(user).call(method, route.path(cast.tenant.slug)), 405, "method_not_allowed")
