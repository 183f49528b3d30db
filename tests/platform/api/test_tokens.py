"""API tokens: shown once, scoped, revoked at once, expiring."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from tenancy.models import ApiToken, AuditEntry
from tenancy.scope import platform_scope
from tests.kit.api import Api, problem
from tests.kit.cast import Cast
from tests.kit.factories import make_token
from tests.kit.roles import PLATFORM, database_role


@pytest.fixture(autouse=True)
def _fresh_throttles() -> None:
    cache.clear()


def path(cast: Cast, rest: str = "tokens") -> str:
    """Return an address of the cast's tenant."""
    return f"tenants/{cast.tenant.slug}/{rest}"


def made(cast: Cast, *scopes: str) -> dict[str, object]:
    """Make a token as the owner."""
    answer = Api(cast.owner).post(path(cast), {"name": "script", "scopes": list(scopes)})
    assert answer.status_code == 201, answer.content
    body: dict[str, object] = answer.json()
    return body


def test_a_token_is_shown_once_and_only_its_hash_is_stored(cast: Cast) -> None:
    body = made(cast, "members:read")
    text = str(body["token"])
    assert text.startswith(f"exfm_{body['prefix']}_")
    assert Api(token=text).get(path(cast, "members")).status_code == 200
    with database_role(PLATFORM), platform_scope("test"):
        row = ApiToken.objects.get(id=body["id"])
        entry = AuditEntry.objects.get(action="token.create")
    secret = text.split("_", 2)[2]
    assert secret not in str(vars(row))
    assert secret not in str(vars(entry))
    listed = Api(cast.owner).get(path(cast)).json()["results"]
    assert [token["id"] for token in listed] == [body["id"]]
    assert "token" not in listed[0]


def test_a_token_may_do_what_its_scopes_say_and_no_more(cast: Cast) -> None:
    api = Api(token=str(made(cast, "members:read")["token"]))
    assert api.get(path(cast, "members")).status_code == 200
    problem(api.get(path(cast)), 403, "scope_missing")


def test_a_token_is_no_more_than_its_users_role_now(cast: Cast) -> None:
    with database_role(PLATFORM):
        _, text = make_token(cast.viewer, cast.tenant, ["members:read", "tokens:read"])
    problem(Api(token=text).get(path(cast)), 403, "role_too_low")


def test_revoking_acts_at_once(cast: Cast) -> None:
    body = made(cast, "members:read")
    api = Api(token=str(body["token"]))
    assert api.get(path(cast, "members")).status_code == 200
    assert Api(cast.owner).delete(path(cast, f"tokens/{body['id']}")).status_code == 204
    problem(api.get(path(cast, "members")), 401, "token_revoked")


def test_removing_the_member_ends_their_tokens(cast: Cast) -> None:
    with database_role(PLATFORM):
        _, text = make_token(cast.engineer, cast.tenant, ["members:read"])
    owner = Api(cast.owner)
    members = owner.get(path(cast, "members")).json()["results"]
    engineer = next(row for row in members if row["email"] == cast.engineer.email)
    assert owner.delete(path(cast, f"members/{engineer['id']}")).status_code == 204
    problem(Api(token=text).get(path(cast, "members")), 401, "token_revoked")


def test_expired_tokens_are_refused(cast: Cast) -> None:
    with database_role(PLATFORM):
        _, text = make_token(cast.owner, cast.tenant, ["members:read"], expires_at=timezone.now() - timedelta(hours=1))
    problem(Api(token=text).get(path(cast, "members")), 401, "token_expired")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("nonsense", "token_malformed"),
        ("exfm_" + "a" * 10 + "_" + "b" * 43, "token_unknown"),
        ("", "token_malformed"),
    ],
)
def test_wrong_tokens_are_refused(cast: Cast, text: str, code: str) -> None:
    answer = Api().get(path(cast, "members"), Authorization=f"Bearer {text}")
    problem(answer, 401, code)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_secret_of_another_token_does_not_fit(cast: Cast) -> None:
    first, second = str(made(cast, "members:read")["token"]), str(made(cast, "members:read")["token"])
    mixed = first[:16] + second[16:]
    problem(Api(token=mixed).get(path(cast, "members")), 401, "token_unknown")


def test_the_token_of_an_inactive_user_is_refused(cast: Cast) -> None:
    text = str(made(cast, "members:read")["token"])
    with database_role(PLATFORM):
        type(cast.owner).objects.filter(id=cast.owner.id).update(is_active=False)
    problem(Api(token=text).get(path(cast, "members")), 401, "user_inactive")


def test_scopes_beyond_the_role_are_refused(cast: Cast) -> None:
    body = problem(
        Api(cast.engineer).post(path(cast), {"name": "x", "scopes": ["members:write"]}), 403, "scope_beyond_role"
    )
    assert "members:write" in body["detail"]


def test_a_token_cannot_make_a_stronger_one(cast: Cast) -> None:
    api = Api(token=str(made(cast, "tokens:write", "runs:read")["token"]))
    body = problem(
        api.post(path(cast), {"name": "x", "scopes": ["streams:write", "runs:read"]}), 403, "scope_beyond_token"
    )
    assert body["mend"] == "Leave out what it lacks: streams:write."
    assert api.post(path(cast), {"name": "x", "scopes": ["runs:read"]}).status_code == 201


def test_unknown_scopes_are_named_with_the_known_ones(cast: Cast) -> None:
    body = problem(Api(cast.owner).post(path(cast), {"name": "x", "scopes": ["cats:pet"]}), 422, "scope_unknown")
    assert body["field"] == "scopes"
    assert "cats:pet" in body["detail"]
    assert "streams:write" in body["mend"]


def test_engineers_see_and_revoke_their_own_tokens_alone(cast: Cast) -> None:
    owners = made(cast, "members:read")
    api = Api(cast.engineer)
    assert api.post(path(cast), {"name": "mine", "scopes": ["runs:read"]}).status_code == 201
    assert [row["name"] for row in api.get(path(cast)).json()["results"]] == ["mine"]
    problem(api.delete(path(cast, f"tokens/{owners['id']}")), 404, "token_not_found")


def test_a_token_of_one_tenant_is_404_on_another(cast: Cast) -> None:
    with database_role(PLATFORM):
        theirs, _ = make_token(cast.stranger, cast.elsewhere, ["runs:read"])
    problem(Api(cast.owner).get(path(cast, f"tokens/{theirs.id}")), 404, "token_not_found")


def test_the_last_use_is_recorded(cast: Cast) -> None:
    body = made(cast, "members:read")
    Api(token=str(body["token"])).get(path(cast, "members"))
    assert Api(cast.owner).get(path(cast, f"tokens/{body['id']}")).json()["last_used_at"] is not None


def test_a_repeated_create_gives_the_same_token_without_its_secret(cast: Cast) -> None:
    api, body = Api(cast.owner), {"name": "x", "scopes": ["runs:read"]}
    first = api.post(path(cast), body, Idempotency_Key="k-1").json()
    again = api.post(path(cast), body, Idempotency_Key="k-1")
    assert again.status_code == 201
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == {**first, "token": None}
    problem(api.post(path(cast), {**body, "name": "y"}, Idempotency_Key="k-1"), 409, "idempotency_key_reused")
    assert len(api.get(path(cast)).json()["results"]) == 1
