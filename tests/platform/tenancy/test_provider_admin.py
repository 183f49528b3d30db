"""Identity providers on the operators' site: every field of the API, domains included, through the same services."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tenancy import sso
from tenancy.models import AuditEntry, IdentityProvider
from tenancy.scope import platform_scope
from tenancy.secrecy import decrypt
from tests.kit.api import Api
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
DOMAINS = {"domains-TOTAL_FORMS": "1", "domains-INITIAL_FORMS": "0", "domains-0-role": "viewer"}
"""What the page sends of its domains while there is none: how many there are, and one line to fill in."""

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
    answer = site.post(ADD, NEW | DOMAINS)
    assert answer.status_code == 302, answer.content.decode()
    return IdentityProvider.objects.get()


def change(site: Client, row: IdentityProvider, **values: Any) -> Any:
    """Send the form as the browser does: what it showed, but for `values`."""
    shown = {name: NEW[name] for name in ("name", "client_id", "is_active", "second_factor_acr")} | domains(row)
    body = {name: value for name, value in {**shown, **values}.items() if value != "off"}
    return site.post(reverse("admin:tenancy_identityprovider_change", args=[row.pk]), body)


def domains(row: IdentityProvider) -> dict[str, str]:
    """What the page sends of a provider's domains as they are."""
    with platform_scope("test"):
        held = list(row.domains.order_by("domain").values_list("id", flat=True))
    ids = {f"domains-{place}-id": str(held_id) for place, held_id in enumerate(held)}
    count = {"domains-TOTAL_FORMS": str(len(held) + 1), "domains-INITIAL_FORMS": str(len(held))}
    return {**count, **ids, f"domains-{len(held)}-role": "viewer"}


def held(row: IdentityProvider) -> list[tuple[str, Any, str]]:
    """The provider's domains, with the tenant that their people join, and as what."""
    with platform_scope("test"):
        return list(row.domains.order_by("domain").values_list("domain", "tenant_id", "role"))


def last_entries(number: int) -> list[tuple[str, str, Any, Any]]:
    """The newest entries of the audit log, newest first."""
    with platform_scope("test"):
        entries = AuditEntry.objects.order_by("-id")[:number]
        return [(entry.action, entry.reason, entry.before, entry.after) for entry in entries]


def entries() -> int:
    with platform_scope("test"):
        return AuditEntry.objects.count()


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
    answer = site.post(ADD, {**NEW, **DOMAINS, "issuer": "http://id.example.com"})
    assert answer.status_code == 200
    assert b"must be reached by https" in answer.content
    assert not IdentityProvider.objects.exists()


def test_a_provider_that_is_switched_off_signs_nobody_in(site: Client, corp: IdentityProvider) -> None:
    assert change(site, corp, is_active="off", reason="contract ended").status_code == 302
    assert not IdentityProvider.objects.get().is_active


def test_a_domain_is_given_with_one_audit_row_as_by_the_api(site: Client, corp: IdentityProvider, cast: Cast) -> None:
    before = entries()
    new = {
        "domains-0-domain": "Acme.Example.com",
        "domains-0-tenant": str(cast.tenant.pk),
        "domains-0-role": "engineer",
    }
    assert change(site, corp, **new, reason="single sign-on").status_code == 302
    assert held(corp) == [("acme.example.com", cast.tenant.pk, "engineer")]
    told = {"provider": "corp", "domain": "acme.example.com", "tenant": cast.tenant.slug, "role": "engineer"}
    assert (entries(), last_entries(1)) == (before + 1, [("identity_domain.create", "single sign-on", None, told)])
    body = {"domain": "b.example.com", "tenant": cast.tenant.slug, "role": "engineer", "reason": "single sign-on"}
    assert Api(cast.admin).post("admin/identity-providers/corp/domains", body).status_code == 201
    assert last_entries(1) == [("identity_domain.create", "single sign-on", None, told | {"domain": "b.example.com"})]
    page = site.get(reverse("admin:tenancy_identityprovider_change", args=[corp.pk])).content.decode()
    assert "acme.example.com" in page and "b.example.com" in page


def test_a_domain_is_taken_away_with_one_audit_row(site: Client, corp: IdentityProvider) -> None:
    for name in ("a.example.com", "b.example.com"):
        place = len(held(corp))
        assert change(site, corp, **{f"domains-{place}-domain": name}, reason="x").status_code == 302
    before = entries()
    assert change(site, corp, **{"domains-0-DELETE": "on"}, reason="sold").status_code == 302
    assert [name for name, *_ in held(corp)] == ["b.example.com"]
    gone = ("identity_domain.remove", "sold", {"provider": "corp", "domain": "a.example.com"}, None)
    assert (entries(), last_entries(1)) == (before + 1, [gone])


@pytest.mark.parametrize(
    ("domain", "said"),
    [
        ("acme", "is no e-mail domain. Write it like example.com."),
        ("acme example.com", "is no e-mail domain."),
        ("@acme.example.com", "is no e-mail domain."),
        ("Taken.example.com", "taken.example.com has a provider already. Remove that first."),
    ],
)
def test_what_the_api_refuses_is_refused_beside_the_field(
    site: Client, corp: IdentityProvider, cast: Cast, domain: str, said: str
) -> None:
    taken = {"domain": "taken.example.com", "reason": "x"}
    assert Api(cast.admin).post("admin/identity-providers/corp/domains", taken).status_code == 201
    before = entries()
    answer = change(site, corp, **{"domains-1-domain": domain}, reason="x")
    assert answer.status_code == 200
    assert said in answer.content.decode()
    asked = {"domain": domain, "reason": "x"}
    assert Api(cast.admin).post("admin/identity-providers/corp/domains", asked).status_code in (400, 409)
    assert ([name for name, *_ in held(corp)], entries()) == (["taken.example.com"], before)


def test_a_domain_makes_no_owners_and_needs_a_reason(site: Client, corp: IdentityProvider) -> None:
    new = {"domains-0-domain": "acme.example.com"}
    answer = change(site, corp, **new, **{"domains-0-role": "owner"}, reason="x").content.decode()
    assert "owner is not one of the available choices" in answer
    assert b"This field is required" in change(site, corp, **new).content
    assert held(corp) == []


def test_a_domain_that_is_given_stays_as_it_is(site: Client, corp: IdentityProvider, cast: Cast) -> None:
    assert change(site, corp, **{"domains-0-domain": "acme.example.com"}, reason="x").status_code == 302
    before = entries()
    other = {"domains-0-domain": "other.example.com", "domains-0-role": "engineer", "domains-0-tenant": cast.tenant.pk}
    assert change(site, corp, **other, reason="x").status_code == 302
    assert (held(corp), entries()) == ([("acme.example.com", None, "viewer")], before)


def test_a_new_provider_comes_with_its_domain(site: Client) -> None:
    assert site.post(ADD, NEW | DOMAINS | {"domains-0-domain": "acme.example.com"}).status_code == 302
    assert held(IdentityProvider.objects.get()) == [("acme.example.com", None, "viewer")]
    assert [action for action, *_ in last_entries(2)] == ["identity_domain.create", "identity_provider.create"]


def test_the_same_domain_twice_is_refused(site: Client, corp: IdentityProvider) -> None:
    twice = {"domains-TOTAL_FORMS": "2", "domains-0-domain": "a.example.com", "domains-1-domain": "A.example.com"}
    answer = change(site, corp, **twice, **{"domains-1-role": "viewer"}, reason="x")
    assert answer.status_code == 200
    assert held(corp) == []
