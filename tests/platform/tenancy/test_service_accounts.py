"""Service accounts: members that are programs."""

import pytest
from django.core.cache import cache

from tests.kit.api import Api, problem
from tests.kit.cast import Cast


@pytest.fixture(autouse=True)
def _as_the_web_process(as_app: None) -> None:
    cache.clear()


def make(cast: Cast, role: str = "engineer") -> str:
    """Make an account; return its id."""
    path = f"tenants/{cast.tenant.slug}/service-accounts"
    answer = Api(cast.owner).post(path, {"name": "nightly load", "role": role})
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


def token(cast: Cast, account: str, *scopes: str) -> str:
    """Make a token of the account."""
    path = f"tenants/{cast.tenant.slug}/service-accounts/{account}/tokens"
    answer = Api(cast.owner).post(path, {"name": "prod", "scopes": list(scopes)})
    assert answer.status_code == 201, answer.content
    return str(answer.json()["token"])


def test_it_acts_by_its_token_and_its_name_stands_in_the_audit_log(cast: Cast) -> None:
    account = make(cast)
    api = Api(token=token(cast, account, "models:read", "tokens:write"))
    base = f"tenants/{cast.tenant.slug}"
    assert api.get(f"{base}/models").status_code == 200
    problem(api.get(f"{base}/runs"), 403, "scope_missing")
    assert api.post(f"{base}/tokens", {"name": "more", "scopes": ["models:read"]}).status_code == 201
    actors = [row["actor"] for row in Api(cast.owner).get(f"{base}/audit").json()["results"]]
    assert actors[0] == "service account nightly load"


def test_its_role_bounds_its_tokens_now_and_later(cast: Cast) -> None:
    account, base = make(cast), f"tenants/{cast.tenant.slug}"
    path = f"{base}/service-accounts/{account}/tokens"
    body = {"name": "x", "scopes": ["members:write"]}
    problem(Api(cast.owner).post(path, body), 403, "scope_beyond_role")
    api = Api(token=token(cast, account, "runs:read"))
    assert api.get(f"{base}/runs").status_code == 200
    assert Api(cast.owner).patch(f"{base}/members/{account}", {"role": "billing"}).status_code == 200
    problem(api.get(f"{base}/runs"), 403, "role_too_low")


def test_it_is_never_an_owner(cast: Cast) -> None:
    base = f"tenants/{cast.tenant.slug}"
    body = {"name": "boss", "role": "owner"}
    problem(Api(cast.owner).post(f"{base}/service-accounts", body), 422, "service_account_owner")
    account = make(cast)
    problem(Api(cast.owner).patch(f"{base}/members/{account}", {"role": "owner"}), 422, "service_account_owner")


def test_removing_it_ends_its_tokens_at_once(cast: Cast) -> None:
    account, base = make(cast), f"tenants/{cast.tenant.slug}"
    api = Api(token=token(cast, account, "runs:read"))
    assert Api(cast.owner).delete(f"{base}/service-accounts/{account}").status_code == 204
    problem(api.get(f"{base}/runs"), 401, "token_revoked")


def test_it_cannot_sign_in(cast: Cast) -> None:
    make(cast)
    base = f"tenants/{cast.tenant.slug}"
    row = next(row for row in Api(cast.owner).get(f"{base}/members").json()["results"] if row["is_service"])
    problem(Api().post("session", {"email": row["email"], "password": ""}), 400)
    problem(Api().post("session", {"email": row["email"], "password": "!"}), 401, "credentials_wrong")


def test_people_are_no_service_accounts(cast: Cast) -> None:
    base = f"tenants/{cast.tenant.slug}"
    person = Api(cast.owner).get(f"{base}/members").json()["results"][0]["id"]
    problem(Api(cast.owner).delete(f"{base}/service-accounts/{person}"), 404, "service_account_not_found")


@pytest.mark.parametrize("name", ["ab‮cd", "tab\tbed", "zero​width", "\x07", "   "])
def test_names_hold_nothing_that_hides(cast: Cast, name: str) -> None:
    base = f"tenants/{cast.tenant.slug}"
    for path, body in (("tokens", {"scopes": ["runs:read"]}), ("service-accounts", {"role": "viewer"})):
        answer = Api(cast.owner).post(f"{base}/{path}", {"name": name, **body})
        assert answer.status_code in {400, 422}, (path, answer.content)
