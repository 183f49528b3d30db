"""A tenant that requires a second factor: who gets in, who decides it, and what tokens may still do."""

from typing import Any

import pytest
from django.core.cache import cache

from tenancy import services
from tenancy.models import ApiToken, AuditEntry, Membership, Role, Tenant
from tenancy.scope import platform_scope
from tests.kit.api import Api, problem
from tests.kit.cast import Cast
from tests.kit.factories import PASSWORD, make_member, make_token
from tests.kit.proof import vouched
from tests.kit.roles import PLATFORM, database_role
from tests.platform.tenancy.authenticator import turn_on

ON, OFF = {"second_factor_required": True}, {"second_factor_required": False}


@pytest.fixture(autouse=True)
def _as_the_web_process(as_app: None) -> None:
    cache.clear()


@pytest.fixture
def strict(cast: Cast) -> str:
    """Return the cast's tenant's address, after the tenant began to require a second factor."""
    with database_role(PLATFORM):
        Tenant.objects.filter(id=cast.tenant.id).update(requires_second_factor=True)
    return f"tenants/{cast.tenant.slug}"


def required_of(api: Api) -> list[bool]:
    """Return what the session says of its tenants."""
    return [row["second_factor_required"] for row in api.get("session").json()["memberships"]]


def test_an_owner_who_has_none_asks_nobody_for_theirs(cast: Cast) -> None:
    path, api = f"tenants/{cast.tenant.slug}/settings", Api(cast.owner)
    assert api.get(path).json() == OFF
    body = problem(api.patch(path, ON), 409, "second_factor_missing")
    assert "/account" in body["mend"]
    assert api.get(path).json() == OFF
    turn_on(api)
    assert api.patch(path, ON).json() == ON
    assert api.get(f"tenants/{cast.tenant.slug}/overview").status_code == 200
    assert api.patch(path, ON).json() == ON
    assert api.patch(path, OFF).json() == OFF
    with database_role(PLATFORM), platform_scope("test"):
        rows = AuditEntry.objects.filter(action="tenant.second_factor").order_by("id")
        assert [(row.actor_label, row.before, row.after) for row in rows] == [
            (cast.owner.email, OFF, ON),
            (cast.owner.email, ON, OFF),
        ]


def test_only_owners_decide_and_never_a_token(cast: Cast) -> None:
    path = f"tenants/{cast.tenant.slug}/settings"
    for role in (Role.ENGINEER, Role.VIEWER, Role.BILLING):
        problem(Api(cast.member(role), proof=vouched()).patch(path, ON), 403, "role_too_low")
    with database_role(PLATFORM):
        _, text = make_token(cast.owner, cast.tenant, ["members:write", "members:read"])
    problem(Api(token=text).patch(path, ON), 403, "session_only")
    problem(Api(cast.stranger, proof=vouched()).patch(path, ON), 404, "tenant_not_found")
    assert Api(token=text).get(path).json() == OFF


def test_a_stale_change_is_refused(cast: Cast) -> None:
    path, api = f"tenants/{cast.tenant.slug}/settings", Api(cast.owner, proof=vouched())
    seen = api.get(path).headers["ETag"]
    assert api.patch(path, ON, If_Match=seen).status_code == 200
    problem(api.patch(path, OFF, If_Match=seen), 412, "changed_meanwhile")


def test_a_member_without_one_is_led_to_it_and_in(cast: Cast, strict: str) -> None:
    api = Api(cast.engineer)
    body = problem(api.get(f"{strict}/overview"), 403, "second_factor_required")
    assert cast.tenant.name in body["detail"]
    assert body["mend"].endswith("/account.")
    problem(api.post(f"{strict}/streams", {}), 403, "second_factor_required")
    problem(Api(cast.viewer).delete(f"{strict}/members/{cast.owner.id}"), 403, "second_factor_required")
    assert required_of(api) == [True]
    assert api.get("account").json()["second_factor_shown"] is False
    before = api.client.session.session_key
    turn_on(api)
    assert api.client.session.session_key != before
    assert api.get(f"{strict}/overview").status_code == 200
    assert required_of(api) == [False]
    assert api.get("account").json()["second_factor_shown"] is True


def test_other_tenants_of_the_same_person_ask_nothing(cast: Cast, strict: str) -> None:
    with database_role(PLATFORM), platform_scope("test"):
        Membership.objects.create(tenant=cast.elsewhere, user=cast.engineer, role=Role.VIEWER)
    api = Api(cast.engineer)
    assert api.get(f"tenants/{cast.elsewhere.slug}/overview").status_code == 200
    assert sorted(required_of(api)) == [False, True]
    problem(api.get(f"{strict}/overview"), 403, "second_factor_required")


def test_who_may_not_know_the_tenant_learns_nothing_of_its_settings(cast: Cast, strict: str) -> None:
    problem(Api(cast.stranger).get(f"{strict}/overview"), 404, "tenant_not_found")
    problem(Api().get(f"{strict}/overview"), 401, "signed_out")


def test_having_one_is_not_showing_it(cast: Cast, strict: str) -> None:
    here, there = Api(cast.engineer), Api(cast.engineer)
    app, codes = turn_on(here)
    problem(there.get(f"{strict}/overview"), 403, "second_factor_required")
    problem(there.post("account/second-factor/proof", {"code": "000000"}), 422, "code_wrong")
    problem(there.get(f"{strict}/overview"), 403, "second_factor_required")
    before = there.client.session.session_key
    assert there.post("account/second-factor/proof", {"code": app.now()}).status_code == 204
    assert there.client.session.session_key != before
    assert there.get(f"{strict}/overview").status_code == 200
    signed = Api()
    body = {"email": cast.engineer.email, "password": PASSWORD, "code": codes[0]}
    answer = signed.post("session", body)
    assert [row["second_factor_required"] for row in answer.json()["memberships"]] == [False]
    assert signed.get(f"{strict}/overview").status_code == 200


def test_a_proof_needs_a_factor_and_a_session(cast: Cast) -> None:
    problem(Api(cast.viewer).post("account/second-factor/proof", {"code": "000000"}), 409, "second_factor_off")
    with database_role(PLATFORM):
        _, text = make_token(cast.owner, cast.tenant, ["members:read"])
    problem(Api(token=text).post("account/second-factor/proof", {"code": "000000"}), 403, "session_only")


def test_guesses_in_a_session_lock_the_sign_in_too(cast: Cast, strict: str) -> None:
    app, _ = turn_on(Api(cast.engineer))
    found_open = Api(cast.engineer)
    for _ in range(10):
        problem(found_open.post("account/second-factor/proof", {"code": "000000"}), 422, "code_wrong")
    problem(found_open.post("account/second-factor/proof", {"code": app.now()}), 429, "sign_in_locked")
    body = {"email": cast.engineer.email, "password": PASSWORD, "code": app.now()}
    problem(Api().post("session", body), 429, "sign_in_locked")


def test_a_factor_that_ended_counts_in_no_session(cast: Cast, strict: str) -> None:
    api = Api(cast.engineer)
    _, codes = turn_on(api)
    assert api.post("account/second-factor/off", {"code": codes[0]}).status_code == 204
    problem(api.get(f"{strict}/overview"), 403, "second_factor_required")
    turn_on(api)
    assert api.get(f"{strict}/overview").status_code == 200
    with database_role(PLATFORM):
        path = f"admin/users/{cast.engineer.id}/remove-second-factor"
        assert Api(cast.admin).post(path, {"reason": "lost phone"}).status_code == 204
    problem(api.get(f"{strict}/overview"), 403, "second_factor_required")


def test_signing_in_anew_forgets_what_the_session_before_showed(cast: Cast, strict: str) -> None:
    api = Api(cast.engineer, proof=vouched())
    assert api.get(f"{strict}/overview").status_code == 200
    assert api.post("session", {"email": cast.engineer.email, "password": PASSWORD}).status_code == 200
    problem(api.get(f"{strict}/overview"), 403, "second_factor_required")


def test_tokens_go_on_and_make_no_others(cast: Cast, strict: str) -> None:
    with database_role(PLATFORM), platform_scope("test"):
        _, text = make_token(
            cast.owner, cast.tenant, ["members:write", "members:read", "tokens:write", "insights:read"]
        )
        account = services.create_service_account(tenant=cast.tenant, name="nightly", role=Role.ENGINEER)
        _, program = make_token(account.user, cast.tenant, ["insights:read"])
    assert Api(token=text).get(f"{strict}/overview").status_code == 200
    assert Api(token=program).get(f"{strict}/overview").status_code == 200
    wanted = {"name": "x", "scopes": ["insights:read"]}
    paths = (f"{strict}/tokens", f"{strict}/service-accounts/{account.id}/tokens")
    for path in paths:
        problem(Api(token=text).post(path, wanted), 403, "second_factor_required")
        problem(Api(cast.owner).post(path, wanted), 403, "second_factor_required")
    with database_role(PLATFORM), platform_scope("test"):
        assert ApiToken.objects.filter(tenant=cast.tenant).count() == 2
    for path in paths:
        assert Api(cast.owner, proof=vouched()).post(path, wanted).status_code == 201


def test_owners_see_who_has_one_and_others_do_not(cast: Cast) -> None:
    turn_on(Api(cast.viewer))
    with database_role(PLATFORM), platform_scope("test"):
        outside = make_member(cast.elsewhere, Role.VIEWER)
        _, text = make_token(cast.owner, cast.tenant, ["members:read"])
    turn_on(Api(outside))
    Api(cast.billing).post("account/second-factor")  # begun, and not confirmed
    path = f"tenants/{cast.tenant.slug}/members"
    for api in (Api(cast.owner), Api(token=text)):
        seen = {row["email"]: row["second_factor"] for row in api.get(path).json()["results"]}
        assert seen == {
            user.email: user == cast.viewer for user in (cast.owner, cast.engineer, cast.viewer, cast.billing)
        }
    for user in (cast.engineer, cast.viewer):
        rows: list[Any] = Api(user).get(path).json()["results"]
        assert {row["second_factor"] for row in rows} == {None}


def test_the_only_owner_is_never_shut_out(cast: Cast, strict: str) -> None:
    api = Api(cast.owner)
    problem(api.patch(f"{strict}/settings", OFF), 403, "second_factor_required")
    turn_on(api)
    assert api.patch(f"{strict}/settings", OFF).json() == OFF
