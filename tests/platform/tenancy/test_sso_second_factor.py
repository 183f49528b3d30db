"""The second factor over single sign-on: the provider's word where it is trusted with that, else the code here."""

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest

from api.v1 import sso as views
from tenancy import lockout, sso
from tenancy.models import IdentityProvider, Role, Tenant, User
from tenancy.oidc import Claims
from tenancy.scope import platform_scope
from tenancy.second_factor import Proof
from tests.kit.api import Api, problem
from tests.kit.cast import Cast
from tests.kit.factories import make_member
from tests.kit.identity_provider import authorize
from tests.kit.roles import PLATFORM, database_role
from tests.platform.tenancy.authenticator import turn_on
from tests.platform.tenancy.signing_on import issuer as issuer
from tests.platform.tenancy.signing_on import person, refusal, sign_in
from tests.platform.tenancy.signing_on import trusted as trusted

pytestmark = [pytest.mark.xdist_group("identity_provider"), pytest.mark.usefixtures("trusted")]

PAGE = "/t/shop/models?q=x"
COOKIE = "exfm_session"


@pytest.fixture
def app(issuer: str) -> pyotp.TOTP:
    """Ada, whom the provider knows, has a second factor here."""
    person(issuer, "ada", "ada@corp.example")
    api = Api()
    sign_in(api, "ada")
    return turn_on(api)[0]


def trust(cast: Cast, acr: str = "") -> None:
    """Let the provider's second factor count."""
    body = {"trusts_second_factor": True, "second_factor_acr": acr, "reason": "asks everybody for a key"}
    with database_role(PLATFORM):
        assert Api(cast.admin).patch("admin/identity-providers/corp", body).status_code == 200


def waits(api: Api, subject: str = "ada") -> None:
    """Come back from the provider to a page that asks for the code."""
    answer = sign_in(api, subject, PAGE)
    where = urlsplit(answer.headers["Location"])
    assert (answer.status_code, where.path) == (302, "/sign-in")
    assert parse_qs(where.query) == {"step": ["code"], "next": [PAGE]}


def is_in(api: Api) -> bool:
    """Tell whether somebody is signed in."""
    return bool(api.get("session").status_code == 200)


def test_the_code_is_asked_for_where_the_provider_is_not_trusted_with_it(app: pyotp.TOTP, issuer: str) -> None:
    person(issuer, "ada", "ada@corp.example", amr=["pwd", "mfa"])
    api = Api()
    waits(api)
    problem(api.get("session"), 401, "signed_out")
    problem(api.post("sso/code", {"code": "000000"}), 401, "code_wrong")
    assert not is_in(api)
    answer = api.post("sso/code", {"code": app.now()})
    assert answer.status_code == 200, answer.content
    assert answer.json()["user"]["email"] == "ada@corp.example"
    assert is_in(api)


def test_who_has_none_comes_in_without(issuer: str) -> None:
    person(issuer, "bob", "bob@corp.example")
    api = Api()
    assert sign_in(api, "bob", PAGE).headers["Location"] == PAGE
    assert is_in(api)


@pytest.mark.parametrize("methods", [["mfa"], ["pwd", "otp"], ["hwk", "user"], ["pwd", "sc"]], ids=str)
def test_a_trusted_providers_word_stands_for_the_code(
    app: pyotp.TOTP, issuer: str, cast: Cast, methods: list[str]
) -> None:
    trust(cast)
    person(issuer, "ada", "ada@corp.example", amr=methods)
    api = Api()
    assert sign_in(api, "ada", PAGE).headers["Location"] == PAGE
    assert is_in(api)


@pytest.mark.parametrize(
    "lie",
    [
        {},
        {"amr": ["pwd"]},
        {"amr": ["sms"]},
        {"amr": "mfa"},
        {"amr": {"mfa": True}},
        {"amr": [["mfa"]]},
        {"amr": None},
        {"AMR": ["mfa"]},
        {"acr": "strong"},
        {"acr": ["strong"]},
        {"acr": ""},
    ],
    ids=str,
)
def test_what_a_trusted_provider_does_not_say_does_not_count(
    app: pyotp.TOTP, issuer: str, cast: Cast, lie: dict[str, Any]
) -> None:
    trust(cast)
    person(issuer, "ada", "ada@corp.example", **lie)
    waits(Api())


def test_a_context_that_was_agreed_on_stands_for_the_code_and_is_asked_for(
    app: pyotp.TOTP, issuer: str, cast: Cast
) -> None:
    trust(cast, acr="urn:corp:strong phr")
    api = Api()
    asked = parse_qs(urlsplit(api.get("sso/corp/start").headers["Location"]).query)
    assert asked["acr_values"] == ["urn:corp:strong phr"]
    person(issuer, "ada", "ada@corp.example", acr="phr")
    assert sign_in(api, "ada", PAGE).headers["Location"] == PAGE
    person(issuer, "ada", "ada@corp.example", acr="urn:corp:strong phr")
    waits(Api())


def test_an_untrusted_providers_word_never_counts() -> None:
    row = IdentityProvider(trusts_second_factor=True, second_factor_acr="strong")
    claims = {"subject": "x", "email": "", "email_verified": False, "name": ""}
    assert sso.proof(row, Claims(**claims, methods=frozenset({"mfa"}))) == Proof.word(row)  # type: ignore[arg-type]
    assert sso.proof(row, Claims(**claims, context="strong")) == Proof.word(row)  # type: ignore[arg-type]
    assert sso.proof(row, Claims(**claims, context="")) == ""  # type: ignore[arg-type]
    row.trusts_second_factor = False
    assert sso.proof(row, Claims(**claims, methods=frozenset({"mfa"}))) == ""  # type: ignore[arg-type]


def test_a_tenant_that_requires_one_follows_the_same_rule(app: pyotp.TOTP, issuer: str, cast: Cast) -> None:
    with database_role(PLATFORM):
        Tenant.objects.filter(id=cast.tenant.id).update(requires_second_factor=True)
    path = f"tenants/{cast.tenant.slug}/overview"
    by_code = Api()
    waits(by_code)
    by_code.post("sso/code", {"code": app.now()})
    assert by_code.get(path).status_code == 200
    person(issuer, "bob", "bob@corp.example", amr=["mfa"])
    untrusted = Api()
    sign_in(untrusted, "bob")
    problem(untrusted.get(path), 403, "second_factor_required")
    trust(cast)
    believed = Api()
    sign_in(believed, "bob")
    assert believed.get(path).status_code == 200
    assert believed.get("account").json()["second_factor"] is False
    assert believed.get("account").json()["second_factor_shown"] is True
    person(issuer, "bob", "bob@corp.example", amr=["pwd"])
    sign_in(believed, "bob")  # the same browser, this time without
    problem(believed.get(path), 403, "second_factor_required")


def test_the_step_in_between_opens_nothing(app: pyotp.TOTP, cast: Cast) -> None:
    api = Api()
    waits(api)
    path = f"tenants/{cast.tenant.slug}"
    for address in (f"{path}/overview", f"{path}/settings", "account", "session"):
        problem(api.get(address), 401, "signed_out")
    problem(api.post("account/second-factor"), 401, "signed_out")
    problem(api.post("account/second-factor/proof", {"code": app.now()}), 401, "signed_out")
    problem(api.post(f"{path}/tokens", {"name": "x", "scopes": ["runs:read"]}), 401, "signed_out")


def test_a_code_without_a_sign_in_that_waits_opens_nothing(app: pyotp.TOTP) -> None:
    problem(Api().post("sso/code", {"code": app.now()}), 401, "sso_state_wrong")
    there = Api()
    there.get("sso/corp/start")
    problem(there.post("sso/code", {"code": app.now()}), 401, "sso_state_wrong")


def test_the_providers_answer_is_no_second_try(app: pyotp.TOTP) -> None:
    api = Api()
    back = urlsplit(authorize(api.get("sso/corp/start").headers["Location"], "ada"))
    address = f"{back.path}?{back.query}"
    assert "step=code" in api.get(address).headers["Location"]
    assert refusal(api.get(address)) == "sso_state_wrong"
    assert not is_in(api)
    assert api.post("sso/code", {"code": app.now()}).status_code == 200


def test_what_waited_counts_once(app: pyotp.TOTP) -> None:
    api = Api()
    waits(api)
    copied = api.client.cookies[COOKIE].value
    code = app.now()
    assert api.post("sso/code", {"code": code}).status_code == 200
    problem(api.post("sso/code", {"code": code}), 401, "sso_state_wrong")
    thief = Api()
    thief.client.cookies[COOKIE] = copied
    problem(thief.post("sso/code", {"code": app.at(int(time.time()) + 30)}), 401, "sso_state_wrong")
    assert not is_in(thief)


def test_a_code_that_was_seen_opens_no_other_sign_in(app: pyotp.TOTP) -> None:
    first, second = Api(), Api()
    waits(first)
    waits(second)
    code = app.now()
    assert first.post("sso/code", {"code": code}).status_code == 200
    problem(second.post("sso/code", {"code": code}), 401, "code_wrong")
    assert not is_in(second)


def test_a_key_planted_before_is_worth_nothing_at_either_step(app: pyotp.TOTP) -> None:
    planted = Api()
    planted.get("sso/corp/start")
    victim, attacker = Api(), Api()
    victim.client.cookies[COOKIE] = attacker.client.cookies[COOKIE] = planted.client.cookies[COOKIE].value
    waits(victim)
    problem(attacker.post("sso/code", {"code": app.now()}), 401, "sso_state_wrong")
    attacker.client.cookies[COOKIE] = before = victim.client.cookies[COOKIE].value
    assert before != planted.client.cookies[COOKIE].value
    assert victim.post("sso/code", {"code": app.now()}).status_code == 200
    assert victim.client.cookies[COOKIE].value != before
    assert not is_in(attacker)


def test_a_sign_in_waits_ten_minutes(app: pyotp.TOTP, monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api()
    waits(api)
    monkeypatch.setattr(views, "WAITS_SECONDS", 0)
    problem(api.post("sso/code", {"code": app.now()}), 401, "sso_state_wrong")
    assert not is_in(api)


def test_guesses_lock_over_single_sign_on_and_at_the_password_alike(app: pyotp.TOTP, settings: Any) -> None:
    settings.EXFM_TRUSTED_PROXIES = 1
    for number in range(lockout.FACTOR.failures):
        api = Api()
        if number % 5 == 0:
            waits(api)
            kept = api.client.cookies[COOKIE].value
        api.client.cookies[COOKIE] = kept
        guess = api.post("sso/code", {"code": "000000"}, X_Forwarded_For=f"10.0.0.{number}")
        problem(guess, 401, "code_wrong")
    fresh = Api()
    waits(fresh)
    answer = fresh.post("sso/code", {"code": app.now()}, X_Forwarded_For="10.1.1.1")
    problem(answer, 429, "sign_in_locked")
    assert int(answer.headers["Retry-After"]) > 0
    assert not is_in(fresh)


@pytest.mark.parametrize("end", ["deactivated", "password", "provider", "administrator"])
def test_what_ends_meanwhile_ends_the_sign_in_too(app: pyotp.TOTP, cast: Cast, end: str) -> None:
    api = Api()
    waits(api)
    with database_role(PLATFORM), platform_scope("test"):
        user = User.objects.get(email="ada@corp.example")
        if end == "deactivated":
            User.objects.filter(id=user.id).update(is_active=False)
        elif end == "password":
            user.set_password("set by a link meanwhile")
            user.save(update_fields=["password"])
        elif end == "administrator":
            User.objects.filter(id=user.id).update(is_staff=True)
        else:
            IdentityProvider.objects.update(is_active=False)
    status, code = (404, "provider_not_found") if end == "provider" else (401, "sso_state_wrong")
    problem(api.post("sso/code", {"code": app.now()}), status, code)
    assert not is_in(api)


def test_an_account_that_had_a_factor_before_its_first_sign_on_is_asked_for_it(issuer: str, cast: Cast) -> None:
    with database_role(PLATFORM):
        carol = make_member(cast.tenant, Role.ENGINEER, email="carol@corp.example")
    app, _ = turn_on(Api(carol))
    person(issuer, "carol", "carol@corp.example")
    api = Api()
    waits(api, "carol")
    assert not is_in(api)
    assert api.post("sso/code", {"code": app.now()}).status_code == 200


def test_a_recovery_code_stands_in_and_a_removed_factor_is_not_asked(issuer: str, cast: Cast) -> None:
    person(issuer, "dan", "dan@corp.example")
    first = Api()
    sign_in(first, "dan")
    _, codes = turn_on(first)
    api = Api()
    waits(api, "dan")
    assert api.post("sso/code", {"code": codes[0]}).status_code == 200
    late = Api()
    waits(late, "dan")
    dan = api.get("session").json()["user"]["id"]
    with database_role(PLATFORM):
        body = {"reason": "lost phone"}
        assert Api(cast.admin).post(f"admin/users/{dan}/remove-second-factor", body).status_code == 204
    assert late.post("sso/code", {"code": "lost"}).status_code == 200
    assert late.get("account").json()["second_factor_shown"] is False
