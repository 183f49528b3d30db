"""docs/roles.md is what the code says, and every cell of it is what the API does."""

import re
from pathlib import Path

import pytest
from django.core.cache import cache

from scripts import role_matrix
from tenancy.models import Role
from tests.kit.api import Api
from tests.kit.cast import Cast
from tests.kit.factories import make_token
from tests.kit.roles import PLATFORM, database_role
from tests.security.routes import Route, all_routes

PAGE = Path(role_matrix.PAGE).read_text()
ROUTES = {str(route): route for route in all_routes()}
_ROW = re.compile(r"^\| `(?P<route>(?:GET|POST|PUT|PATCH|DELETE) [^`]+)` \| (?P<cells>.+) \|$", re.MULTILINE)
ROWS = {match["route"]: [cell.strip(" `") for cell in match["cells"].split("|")] for match in _ROW.finditer(PAGE)}

TENANTS = {name: cells for name, cells in ROWS.items() if len(cells) == 1 + len(Role)}
ADMINS = {name: cells for name, cells in ROWS.items() if name in ROUTES and ROUTES[name].is_admins}
OTHERS = {name: cells[0] for name, cells in ROWS.items() if name not in TENANTS and name not in ADMINS}

WITHOUT_ASGI = {"stream_elsewhere"}
"""Event streams answer this under WSGI before anything else; tests/platform/api/test_events.py calls their cells."""


@pytest.fixture(autouse=True)
def _as_the_web_process(as_app: None) -> None:
    cache.clear()


def ask(route: Route, api: Api, cast: Cast) -> tuple[int, str]:
    """Call the route with ids of nothing; return status and problem code."""
    answer = api.call(route.method, route.path(cast.tenant.slug), {} if route.method != "get" else None)
    is_problem = answer.headers.get("Content-Type") == "application/problem+json"
    return answer.status_code, answer.json()["code"] if is_problem else ""


def test_the_page_is_what_the_code_says() -> None:
    assert role_matrix.page() == PAGE, "run: python -m scripts.role_matrix"


def test_every_route_has_its_row() -> None:
    assert set(ROWS) == set(ROUTES)
    assert len(TENANTS) > 40
    assert len(ADMINS) > 15
    assert set(OTHERS.values()) == {"anybody", "signed in", "signed in by session"}


@pytest.mark.parametrize("name", sorted(TENANTS))
def test_a_tenants_cells(name: str, cast: Cast) -> None:
    permission, *cells = TENANTS[name]
    for role, cell in zip(Role, cells, strict=True):
        status, code = ask(ROUTES[name], Api(cast.member(role)), cast)
        if code in WITHOUT_ASGI:
            continue
        refused = (status, code) == (403, "role_too_low")
        assert refused == (cell != "yes"), (role, status, code)
        assert status != 401, role
        assert code != "tenant_not_found", role
    with database_role(PLATFORM):
        _, text = make_token(cast.owner, cast.tenant, [permission])
    status, code = ask(ROUTES[name], Api(token=text), cast)
    assert code not in {"scope_missing", "tenant_not_found", "signed_out"}, (status, code)


@pytest.mark.parametrize("name", sorted(ADMINS))
def test_an_administrators_cell(name: str, cast: Cast) -> None:
    (scope,) = ADMINS[name]
    with database_role(PLATFORM):
        assert ask(ROUTES[name], Api(cast.owner), cast) == (403, "administrators_only")
        assert ask(ROUTES[name], Api(cast.admin), cast)[1] not in {"administrators_only", "signed_out"}
        _, without = make_token(cast.admin, None, ["nothing:read"])
        assert ask(ROUTES[name], Api(token=without), cast) == (403, "scope_missing")
        _, text = make_token(cast.admin, None, [scope])
        assert ask(ROUTES[name], Api(token=text), cast)[1] not in {"administrators_only", "scope_missing"}


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_another_routes_cell(name: str, cast: Cast) -> None:
    route, who = ROUTES[name], OTHERS[name]
    signed_out = ask(route, Api(), cast)
    assert (signed_out == (401, "signed_out")) == (who != "anybody"), signed_out
    with database_role(PLATFORM):
        _, text = make_token(cast.owner, cast.tenant, ["runs:read"])
    by_token = ask(route, Api(token=text), cast)
    assert (by_token == (403, "session_only")) == (who == "signed in by session"), by_token
    assert ask(route, Api(cast.owner), cast)[1] not in {"signed_out", "session_only"}


def test_a_view_that_does_not_say_who_may_call_it_does_not_start() -> None:
    from django.core.exceptions import ImproperlyConfigured

    from api.base.open_views import Access, OpenView

    with pytest.raises(ImproperlyConfigured, match="post"):
        type("Forgetful", (OpenView,), {"access": {"get": Access.ANYBODY}, "get": print, "post": print})
