"""The operators' site: for administrators only, changes with a reason, the audit log to look at."""

from typing import Any

import pyotp
import pytest
from django.contrib import admin
from django.core.cache import cache
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tenancy import lockout
from tenancy.ids import new_id
from tenancy.models import AuditEntry, Membership, SecondFactor, Tenant
from tenancy.scope import platform_scope
from tenancy.secrecy import encrypt
from tests.kit.api import Api, problem
from tests.kit.cast import Cast
from tests.kit.factories import PASSWORD, make_token
from tests.kit.proof import vouched
from tests.platform.tenancy.authenticator import turn_on

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)


@pytest.fixture
def site(cast: Cast) -> Client:
    """The site as an administrator sees it."""
    cache.clear()
    client = Client()
    client.force_login(cast.admin)
    return client


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_page_opens_for_administrators_and_for_nobody_else(model: type, site: Client, cast: Cast) -> None:
    options = model._meta  # type: ignore[attr-defined]
    address = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
    assert site.get(address).status_code == 200
    for user in (None, cast.owner):
        client = Client()
        if user is not None:
            client.force_login(user)
        answer = client.get(address)
        assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, reverse("admin:login"))


def test_no_page_writes_past_the_services() -> None:
    assert len(MODELS) > 20
    assert [model for model, pages in admin.site._registry.items() if type(pages).__module__.startswith("django")] == []


def test_a_new_password_of_the_operators_own_is_audited(site: Client, cast: Cast) -> None:
    new = "quite another sentence"
    body = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert site.post(reverse("admin:password_change"), body).status_code == 302
    assert site.get(reverse("admin:index")).status_code == 200, "this session goes on"
    with platform_scope("test"):
        entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_label, entry.target_id) == (
        "user.set_password",
        str(cast.admin),
        str(cast.admin.id),
    )


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_nothing_is_deleted_here(model: type, site: Client) -> None:
    request = site.get(reverse("admin:index")).wsgi_request  # type: ignore[attr-defined]
    assert not admin.site._registry[model].has_delete_permission(request)


def test_pages_name_their_rows_for_people(site: Client, cast: Cast) -> None:
    with platform_scope("test"):
        membership = Membership.objects.get(user=cast.owner)
    page = site.get(reverse("admin:tenancy_membership_change", args=[membership.id])).content.decode()
    assert f"{cast.owner.email}, owner of {cast.tenant.slug}" in page
    assert "object (" not in page
    assert [model for model in MODELS if model.__str__ is Model.__str__] == []


def test_suspending_needs_a_reason_and_is_audited_as_the_operator(site: Client, cast: Cast) -> None:
    address = reverse("admin:tenancy_tenant_change", args=[cast.tenant.id])
    assert b"This field is required" in site.post(address, {"status": "suspended"}).content
    assert site.post(address, {"status": "suspended", "reason": "unpaid"}).status_code == 302
    assert Tenant.objects.get(id=cast.tenant.id).status == "suspended"
    with platform_scope("test"):
        entry = AuditEntry.objects.get()
    assert (entry.action, entry.reason, entry.actor_id) == ("tenant.status", "unpaid", cast.admin.id)


def test_the_last_owner_stays_and_the_page_says_why(site: Client, cast: Cast) -> None:
    with platform_scope("test"):
        membership = Membership.objects.get(user=cast.owner)
    address = reverse("admin:tenancy_membership_change", args=[membership.id])
    answer = site.post(address, {"role": "viewer", "reason": "mistake"}, follow=True)
    assert b"only owner" in answer.content
    with platform_scope("test"):
        assert Membership.objects.get(user=cast.owner).role == "owner"
        assert AuditEntry.objects.count() == 0


def test_a_deactivated_user_is_out_at_once(site: Client, cast: Cast) -> None:
    client = Client()
    client.force_login(cast.viewer)
    assert client.get("/api/v1/session").status_code == 200
    address = reverse("admin:tenancy_user_change", args=[cast.viewer.id])
    assert site.post(address, {"reason": "left the team"}).status_code == 302
    assert client.get("/api/v1/session").status_code == 401


def test_the_audit_log_can_only_be_read(site: Client, cast: Cast) -> None:
    test_suspending_needs_a_reason_and_is_audited_as_the_operator(site, cast)
    with platform_scope("test"):
        entry = AuditEntry.objects.get()
    address = reverse("admin:tenancy_auditentry_change", args=[entry.id])
    assert site.get(address).status_code == 200
    assert site.post(address, {"action": "x"}).status_code == 403
    assert site.get(reverse("admin:tenancy_auditentry_add")).status_code == 403
    assert site.post(reverse("admin:tenancy_auditentry_delete", args=[entry.id])).status_code == 403


def test_tokens_are_listed_without_their_digest(site: Client, cast: Cast) -> None:
    from tests.kit.factories import make_token

    token, _ = make_token(cast.owner, cast.tenant, ["runs:read"])
    page = site.get(reverse("admin:tenancy_apitoken_change", args=[token.id])).content.decode()
    assert token.prefix in page
    assert token.digest not in page


def test_signing_in_here_is_locked_out_too(cast: Cast) -> None:
    client, address = Client(), reverse("admin:login")
    for _ in range(lockout.PAIR.failures):
        client.post(address, {"username": cast.admin.email, "password": "nope"})
    answer = client.post(address, {"username": cast.admin.email, "password": PASSWORD})
    assert answer.status_code == 200
    assert b"Too many failed sign-ins" in answer.content


def test_an_administrator_signs_in_with_e_mail_address_and_password(cast: Cast) -> None:
    client = Client()
    answer = client.post(reverse("admin:login"), {"username": cast.admin.email, "password": PASSWORD})
    assert answer.status_code == 302
    assert client.get(reverse("admin:index")).status_code == 200


def test_the_second_factor_is_asked_for_here_too(cast: Cast) -> None:
    secret = pyotp.random_base32()
    SecondFactor.objects.create(user=cast.admin, secret=encrypt(secret), confirmed_at=timezone.now())
    client, address = Client(), reverse("admin:login")
    body = {"username": cast.admin.email, "password": PASSWORD}
    assert 'form="login-form"' in client.get(address).content.decode()
    assert "asks for a code" in client.post(address, body).content.decode()
    assert client.post(address, {**body, "code": "000000"}).status_code == 200
    assert client.post(address, {**body, "code": pyotp.TOTP(secret).now()}).status_code == 302
    assert client.get(reverse("admin:index")).status_code == 200


ASKS = b"requires a second factor"


def test_an_installation_may_ask_administrators_for_their_second_factor(cast: Cast, settings: Any) -> None:
    cache.clear()
    settings.EXFM_ADMIN_SECOND_FACTOR = True
    index, sign_in = reverse("admin:index"), reverse("admin:login")
    body = {"username": cast.admin.email, "password": PASSWORD}
    client = Client()
    answer = client.post(sign_in, body)
    assert ASKS in answer.content
    assert settings.EXFM_WEB_ORIGIN.encode() + b"/account" in answer.content
    assert client.get(index).status_code == 302
    app, _ = turn_on(Api(cast.admin))  # at the dashboard, whose account page asks for none
    assert client.post(sign_in, {**body, "code": app.now()}).status_code == 302
    assert client.get(index).status_code == 200
    problem(Api(cast.owner, proof=vouched()).get("admin/tenants"), 403, "administrators_only")


def test_sessions_from_before_and_the_api_are_asked_too_and_tokens_not(cast: Cast, settings: Any) -> None:
    cache.clear()
    api, shown = Api(cast.admin), Api(cast.admin, proof=f"code:{new_id()}")
    assert api.get("admin/tenants").status_code == api.client.get(reverse("admin:index")).status_code == 200
    settings.EXFM_ADMIN_SECOND_FACTOR = True
    problem(api.get("admin/tenants"), 403, "second_factor_required")
    assert api.client.get(reverse("admin:index")).status_code == 302
    problem(shown.get("admin/tenants"), 403, "second_factor_required")  # it is off: a proof of before is none
    turn_on(api)
    assert api.get("admin/tenants").status_code == api.client.get(reverse("admin:index")).status_code == 200
    _, text = make_token(cast.admin, None, ["tenants:read"])
    assert Api(token=text).get("admin/tenants").status_code == 200
