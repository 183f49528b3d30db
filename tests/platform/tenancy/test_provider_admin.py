"""Identity providers on the operators' site: every field of the API but the domains, through the same services."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tenancy import sso
from tenancy.models import AuditEntry, IdentityProvider
from tenancy.scope import platform_scope
from tenancy.secrecy import decrypt
from tests.kit.cast import Cast

NEW: dict[str, Any] = {
    "slug": "corp",
    "name": "Corp",
    "issuer": "https://id.example.com",
    "client_id": "exfm",
    "new_secret": "between us",
    "is_active": "on",
    "second_factor_acr": "",
    "reason": "single sign-on",
}
ADD = reverse("admin:tenancy_identityprovider_add")


FIELDS = {*NEW, "public", "trusts_second_factor"}


@pytest.fixture
def site(cast: Cast) -> Client:
    """The site as an administrator sees it."""
    client = Client()
    client.force_login(cast.admin)
    return client


@pytest.fixture
def corp(site: Client) -> IdentityProvider:
    """A provider that was added there."""
    answer = site.post(ADD, NEW)
    assert answer.status_code == 302, answer.content.decode()
    return IdentityProvider.objects.get()


def change(site: Client, row: IdentityProvider, **values: str) -> Any:
    """Send the form as the browser does: what it showed, but for `values`."""
    shown = {name: NEW[name] for name in ("name", "client_id", "is_active", "second_factor_acr")}
    body = {name: value for name, value in {**shown, **values}.items() if value != "off"}
    return site.post(reverse("admin:tenancy_identityprovider_change", args=[row.pk]), body)


def names(page: bytes) -> list[str]:
    """The fields that a page asks for."""
    return [name for name in re.findall(r'name="(\w+)"', page.decode()) if name in FIELDS]


def test_every_field_is_asked_for_once(site: Client, corp: IdentityProvider) -> None:
    page = reverse("admin:tenancy_identityprovider_change", args=[corp.pk])
    assert sorted(names(site.get(ADD).content)) == sorted(FIELDS)
    assert sorted(names(site.get(page).content)) == sorted(FIELDS - {"slug", "issuer"})


def test_a_provider_is_added_with_its_secret_encrypted_and_audited(
    site: Client, corp: IdentityProvider, cast: Cast
) -> None:
    assert (corp.slug, corp.issuer, corp.trusts_second_factor) == ("corp", "https://id.example.com", False)
    assert corp.client_secret != NEW["new_secret"] and decrypt(corp.client_secret) == NEW["new_secret"]
    page = site.get(reverse("admin:tenancy_identityprovider_change", args=[corp.pk])).content.decode()
    assert sso.redirect_uri(corp) in page
    assert NEW["new_secret"] not in page and corp.client_secret not in page
    with platform_scope("test"):
        entry = AuditEntry.objects.get()
    assert (entry.action, entry.reason, entry.actor_id) == ("identity_provider.create", NEW["reason"], cast.admin.id)
    assert NEW["new_secret"] not in str(entry.after)


def test_trust_in_its_second_factor_is_given_with_a_reason(site: Client, corp: IdentityProvider) -> None:
    told = {"trusts_second_factor": "on", "second_factor_acr": "phr phrh"}
    assert b"This field is required" in change(site, corp, **told).content
    assert change(site, corp, **told, reason="asks for a key").status_code == 302
    now = IdentityProvider.objects.get()
    assert (now.trusts_second_factor, now.second_factor_acr, now.trust) == (True, "phr phrh", corp.trust + 1)
    assert now.client_secret == corp.client_secret
    with platform_scope("test"):
        entry = AuditEntry.objects.order_by("-id")[0]
    assert (entry.action, entry.reason) == ("identity_provider.change", "asks for a key")
    assert (entry.before["trusts_second_factor"], entry.after["trusts_second_factor"]) == (False, True)


def test_slug_and_issuer_stay(site: Client, corp: IdentityProvider) -> None:
    assert change(site, corp, slug="other", issuer="https://other.example.com", reason="x").status_code == 302
    assert (IdentityProvider.objects.get().slug, IdentityProvider.objects.get().issuer) == (corp.slug, corp.issuer)


def test_a_secret_is_replaced_or_removed_and_never_both(site: Client, corp: IdentityProvider) -> None:
    assert change(site, corp, new_secret="another", reason="rotated").status_code == 302
    assert decrypt(IdentityProvider.objects.get().client_secret) == "another"
    assert b"not both" in change(site, corp, new_secret="third", public="on", reason="x").content
    assert change(site, corp, public="on", reason="public client").status_code == 302
    assert decrypt(IdentityProvider.objects.get().client_secret) == ""


def test_a_provider_without_https_is_refused_beside_the_field(site: Client) -> None:
    answer = site.post(ADD, {**NEW, "issuer": "http://id.example.com"})
    assert answer.status_code == 200
    assert b"must be reached by https" in answer.content
    assert not IdentityProvider.objects.exists()


def test_a_provider_that_is_switched_off_signs_nobody_in(site: Client, corp: IdentityProvider) -> None:
    assert change(site, corp, is_active="off", reason="contract ended").status_code == 302
    assert not IdentityProvider.objects.get().is_active
