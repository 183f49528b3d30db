"""Passwords and the second factor, through the API as the tenants' web process."""

from typing import Any

import pytest
from django.core.cache import cache

from tenancy import lockout, second_factor
from tenancy.models import AuditEntry, PasswordReset, RecoveryCode, SecondFactor, User
from tenancy.scope import platform_scope
from tests.kit.api import Api, problem
from tests.kit.cast import Cast
from tests.kit.factories import PASSWORD, make_token
from tests.kit.roles import PLATFORM, database_role
from tests.platform.tenancy.authenticator import turn_on

ANOTHER = "another good passphrase"


@pytest.fixture(autouse=True)
def _as_the_web_process(as_app: None) -> None:
    cache.clear()


def sign_in(email: str, password: str = PASSWORD, **more: str) -> Any:
    """Sign in anew."""
    return Api().post("session", {"email": email, "password": password, **more})


def audited() -> list[str]:
    """Return the actions of the audit log."""
    with database_role(PLATFORM), platform_scope("test"):
        return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def test_changing_the_password_keeps_this_session_and_ends_the_others(cast: Cast) -> None:
    here, there = Api(cast.viewer), Api(cast.viewer)
    problem(here.post("account/password", {"current": "nope", "password": ANOTHER}), 403, "password_wrong")
    problem(here.post("account/password", {"current": PASSWORD, "password": "12345"}), 422, "password_weak")
    assert here.post("account/password", {"current": PASSWORD, "password": ANOTHER}).status_code == 204
    assert here.get("session").status_code == 200
    problem(there.get("session"), 401)
    problem(sign_in(cast.viewer.email), 401, "credentials_wrong")
    assert sign_in(cast.viewer.email, ANOTHER).status_code == 200
    assert audited() == ["account.change_password"]


def test_a_token_cannot_touch_the_account(cast: Cast) -> None:
    with database_role(PLATFORM):
        _, text = make_token(cast.owner, cast.tenant, ["members:write"])
    body = {"current": PASSWORD, "password": ANOTHER}
    problem(Api(token=text).post("account/password", body), 403, "session_only")
    problem(Api(token=text).post("account/second-factor"), 403, "session_only")


def test_a_link_that_is_asked_for_twice_with_one_key_is_one_link(cast: Cast) -> None:
    asked = (f"admin/users/{cast.viewer.id}/password-reset", {"reason": "called"})
    with database_role(PLATFORM):
        first, second = (Api(cast.admin).post(*asked, Idempotency_Key="again") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == {**first.json(), "link": None}
    token = first.json()["link"].split("#")[1]
    assert Api().post("password-reset", {"token": token, "password": ANOTHER}).status_code == 204


def reset_link(cast: Cast) -> str:
    """Let an administrator make a link; return its secret."""
    with database_role(PLATFORM):
        answer = Api(cast.admin).post(f"admin/users/{cast.viewer.id}/password-reset", {"reason": "called"})
    assert answer.status_code == 201, answer.content
    return str(answer.json()["link"]).split("/reset#")[1]


def test_an_administrators_link_sets_a_password_once(cast: Cast) -> None:
    session = Api(cast.viewer)
    old, token = reset_link(cast), reset_link(cast)
    problem(Api().post("password-reset", {"token": old, "password": ANOTHER}), 404, "link_over")
    problem(Api().post("password-reset", {"token": token, "password": "short"}), 422, "password_weak")
    assert Api().post("password-reset", {"token": token, "password": ANOTHER}).status_code == 204
    problem(Api().post("password-reset", {"token": token, "password": ANOTHER}), 404, "link_over")
    problem(session.get("session"), 401)
    assert sign_in(cast.viewer.email, ANOTHER).status_code == 200
    assert audited() == ["user.issue_password_reset"] * 2 + ["account.reset_password"]
    with database_role(PLATFORM):
        assert token not in str([vars(row) for row in PasswordReset.objects.all()])


def test_the_second_factor_is_asked_for_and_a_code_counts_once(cast: Cast) -> None:
    api = Api(cast.viewer)
    app, codes = turn_on(api)
    assert api.get("account").json()["second_factor"] is True
    problem(sign_in(cast.viewer.email), 401, "second_factor_required")
    problem(sign_in(cast.viewer.email, code="000000"), 401, "credentials_wrong")
    problem(sign_in(cast.viewer.email, "wrong password", code=app.now()), 401, "credentials_wrong")
    code = app.now()
    assert sign_in(cast.viewer.email, code=code).status_code == 200
    problem(sign_in(cast.viewer.email, code=code), 401, "credentials_wrong")
    assert sign_in(cast.viewer.email, code=codes[0].upper()).status_code == 200
    problem(sign_in(cast.viewer.email, code=codes[0]), 401, "credentials_wrong")
    assert api.get("account").json()["recovery_codes_left"] == len(codes) - 1
    assert audited() == ["account.second_factor_begin", "account.second_factor_on"]


def test_secrets_are_unreadable_in_the_tables(cast: Cast) -> None:
    app, codes = turn_on(Api(cast.viewer))
    with database_role(PLATFORM):
        kept = str([vars(row) for row in [*SecondFactor.objects.all(), *RecoveryCode.objects.all()]])
    assert app.secret not in kept
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)


def test_guessing_codes_locks_from_whatever_address(cast: Cast, settings: Any) -> None:
    settings.EXFM_TRUSTED_PROXIES = 1
    turn_on(Api(cast.viewer))
    body = {"email": cast.viewer.email, "password": PASSWORD, "code": "000000"}
    for number in range(lockout.FACTOR.failures):
        problem(Api().post("session", body, X_Forwarded_For=f"10.0.0.{number}"), 401, "credentials_wrong")
    answer = Api().post("session", body, X_Forwarded_For="10.1.1.1")
    problem(answer, 429, "sign_in_locked")
    assert int(answer.headers["Retry-After"]) > 0


def test_turning_off_needs_a_code_and_an_administrator_needs_none(cast: Cast) -> None:
    api = Api(cast.viewer)
    _, codes = turn_on(api)
    problem(api.post("account/second-factor"), 409, "second_factor_on")
    problem(api.post("account/second-factor/off", {"code": "000000"}), 422, "code_wrong")
    fresh = api.post("account/recovery-codes", {"code": codes[0]}).json()["codes"]
    problem(api.post("account/second-factor/off", {"code": codes[1]}), 422, "code_wrong")
    assert api.post("account/second-factor/off", {"code": fresh[0]}).status_code == 204
    assert sign_in(cast.viewer.email).status_code == 200
    turn_on(api)
    with database_role(PLATFORM):
        path = f"admin/users/{cast.viewer.id}/remove-second-factor"
        assert Api(cast.admin).post(path, {"reason": "lost phone"}).status_code == 204
    assert sign_in(cast.viewer.email).status_code == 200


def test_one_person_cannot_read_anothers_factor(cast: Cast) -> None:
    from tenancy.scope import user_scope

    turn_on(Api(cast.viewer))
    with user_scope(cast.owner.pk):
        assert SecondFactor.objects.count() == RecoveryCode.objects.count() == 0
    with user_scope(cast.viewer.pk):
        assert SecondFactor.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_what_is_confirmed_at_the_same_moment_stays(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who found a session open may begin a set-up there, and never put it in the place of one that is on."""
    api, found_open = Api(cast.viewer), Api(cast.viewer)
    is_on = second_factor.is_on

    def on_since(user: User) -> bool:
        before = is_on(user)
        if not before:
            monkeypatch.setattr(second_factor, "is_on", is_on)
            turn_on(api)
        return before

    monkeypatch.setattr(second_factor, "is_on", on_since)
    problem(found_open.post("account/second-factor"), 409, "second_factor_begun")
    problem(sign_in(cast.viewer.email), 401, "second_factor_required")
    assert audited()[-1] == "account.second_factor_on"
