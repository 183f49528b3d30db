"""Signing in, who I am, signing out."""

import pytest
from django.core.cache import cache
from django.test import Client

from tenancy import lockout
from tests.kit.api import Api, problem
from tests.kit.cast import Cast
from tests.kit.factories import PASSWORD


@pytest.fixture(autouse=True)
def _fresh_throttles() -> None:
    cache.clear()


def test_signing_in_shows_who_i_am_and_where_i_belong(cast: Cast) -> None:
    api = Api()
    answer = api.post("session", {"email": cast.owner.email.upper(), "password": PASSWORD})
    assert answer.status_code == 200, answer.content
    me = answer.json()
    assert me["user"] == {
        "id": str(cast.owner.id),
        "email": cast.owner.email,
        "name": cast.owner.name,
        "is_platform_admin": False,
    }
    assert [(row["tenant"]["slug"], row["role"]) for row in me["memberships"]] == [(cast.tenant.slug, "owner")]
    assert me["currency"] == "USD"
    assert api.get("session").json() == me


def test_signed_out_is_401_and_still_hands_out_the_csrf_cookie(cast: Cast) -> None:
    answer = Api().get("session")
    problem(answer, 401, "signed_out")
    assert "csrftoken" in answer.cookies
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_signing_out_ends_the_session(cast: Cast) -> None:
    api = Api(cast.owner)
    assert api.delete("session").status_code == 204
    problem(api.get("session"), 401, "signed_out")


def test_a_wrong_password_and_an_unknown_address_look_the_same(cast: Cast) -> None:
    wrong = problem(Api().post("session", {"email": cast.owner.email, "password": "nope"}), 401, "credentials_wrong")
    unknown = problem(Api().post("session", {"email": "nobody@example.com", "password": "nope"}), 401)
    assert {**wrong, "request_id": ""} == {**unknown, "request_id": ""}


def test_five_failures_lock_the_pair_and_say_how_long(cast: Cast) -> None:
    for _ in range(lockout.PAIR.failures):
        problem(Api().post("session", {"email": cast.owner.email, "password": "nope"}), 401)
    answer = Api().post("session", {"email": cast.owner.email, "password": PASSWORD})
    problem(answer, 429, "sign_in_locked")
    assert 0 < int(answer.headers["Retry-After"]) <= 900
    assert Api().post("session", {"email": cast.viewer.email, "password": PASSWORD}).status_code == 200


def test_a_right_password_clears_the_count(cast: Cast) -> None:
    for _ in range(2):
        for _ in range(lockout.PAIR.failures - 1):
            problem(Api().post("session", {"email": cast.owner.email, "password": "nope"}), 401)
        assert Api().post("session", {"email": cast.owner.email, "password": PASSWORD}).status_code == 200


def test_signing_in_needs_the_csrf_token(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    body = {"email": cast.owner.email, "password": PASSWORD}
    problem(client.post("/api/v1/session", body, content_type="application/json"), 403, "csrf_failed")
    client.get("/api/v1/session")
    token = client.cookies["csrftoken"].value
    answer = client.post("/api/v1/session", body, content_type="application/json", headers={"X-CSRFToken": token})
    assert answer.status_code == 200


def test_a_write_by_session_needs_the_csrf_token(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.owner)
    path = f"/api/v1/tenants/{cast.tenant.slug}/tokens"
    problem(
        client.post(path, {"name": "x", "scopes": ["runs:read"]}, content_type="application/json"), 403, "csrf_failed"
    )


def test_a_write_by_session_may_carry_an_idempotency_key(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.owner)
    client.get("/api/v1/session")
    headers = {"X-CSRFToken": client.cookies["csrftoken"].value, "Idempotency-Key": "once"}
    path, body = f"/api/v1/tenants/{cast.tenant.slug}/tokens", {"name": "x", "scopes": ["runs:read"]}
    first, again = (client.post(path, body, content_type="application/json", headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    other = client.post(path, {**body, "name": "y"}, content_type="application/json", headers=headers)
    problem(other, 409, "idempotency_key_reused")


def test_changing_the_password_ends_all_sessions(cast: Cast, as_role: object) -> None:
    from tenancy import services
    from tenancy.scope import platform_scope
    from tests.kit.roles import PLATFORM, database_role

    api = Api(cast.owner)
    assert api.get("session").status_code == 200
    with database_role(PLATFORM), platform_scope("test"):
        services.set_password(user=cast.owner, password="another good passphrase")
    problem(api.get("session"), 401)


def test_the_table_of_sessions_holds_no_key_that_opens_one(cast: Cast) -> None:
    from django.contrib.sessions.models import Session

    api = Api(cast.owner)
    key = api.client.cookies["exfm_session"].value
    assert not Session.objects.filter(session_key=key).exists()
    assert Session.objects.count() == 1
