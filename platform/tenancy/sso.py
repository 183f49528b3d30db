"""Single sign-on: which providers there are, whose addresses they speak for, and who a checked answer signs in."""

import re
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.db.models import F

from tenancy import audit, services
from tenancy.backends import load_user
from tenancy.context import Actor, acting, current_actor
from tenancy.errors import Conflict, Forbidden, Invalid, NotFound
from tenancy.ids import new_id
from tenancy.models import IdentityDomain, IdentityProvider, Membership, Role, Tenant, User
from tenancy.names import readable_name
from tenancy.oidc import Claims, Client, check_address
from tenancy.scope import tenant_scope, user_scope
from tenancy.second_factor import Proof
from tenancy.secrecy import decrypt, encrypt

MOST_ADDRESS: Final = 254
MOST_SUBJECT: Final = 255
"""The standard's bound."""
SECOND_FACTORS: Final = frozenset({"mfa", "otp", "hwk", "swk", "sc"})
"""`amr` values (RFC 8176) of more than something known: several factors, one-time codes, keys, cards. Calls, letters by
SMS and fingerprints alone are not among them; a provider that means more by them says so in its `acr`."""
TRUST_RESTS_ON: Final = ("issuer", "client_id", "is_active", "trusts_second_factor", "second_factor_acr")


def provider(*, slug: str) -> IdentityProvider:
    """Return an active provider."""
    found = IdentityProvider.objects.filter(slug=slug, is_active=True).first()
    if found is None:
        raise NotFound("provider_not_found", "There is no such identity provider.", "GET /api/v1/sso lists them.")
    return found


def client_of(row: IdentityProvider) -> Client:
    """Return this platform as the provider knows it."""
    return Client(
        issuer=row.issuer,
        client_id=row.client_id,
        client_secret=decrypt(row.client_secret),
        redirect_uri=redirect_uri(row),
        acr_values=row.second_factor_acr,
    )


def proof(row: IdentityProvider, claims: Claims) -> Proof:
    """Return whether the provider, where it is trusted with that, says that it asked for a second factor."""
    known = claims.methods & SECOND_FACTORS or claims.context in row.second_factor_acr.split()
    return Proof.word(row) if row.trusts_second_factor and known else Proof()


def redirect_uri(row: IdentityProvider) -> str:
    """Return the address that must be registered at the provider."""
    return f"{settings.EXFM_WEB_ORIGIN.rstrip('/')}/api/v1/sso/{row.slug}/callback"


@transaction.atomic
def person(*, row: IdentityProvider, claims: Claims) -> User:
    """Return whom the claims sign in: a person known by `sub`, else one whose address's domain the provider speaks for.

    Nobody has proved the address of an account that existed, so its password and sessions end with this.
    Somebody new gets an account, and the domain's tenant in the domain's role, if an administrator named one; the least
    role by default, no tenant otherwise. Administrators of the platform never come in this way.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT exfm_identity(%s, %s)", [row.pk, claims.subject])
        known = cursor.fetchone()[0]
    user = load_user(known) if known else _adopt(row, claims)
    if user is None or user.is_staff:
        raise Forbidden(
            "sso_not_admitted",
            f"{row.name} signed you in, and you have no account here.",
            "Ask an owner of your tenant for an invitation.",
        )
    return user


def _adopt(row: IdentityProvider, claims: Claims) -> User | None:
    # A quoted part before the last @ may hold another; the domain would be somebody else's.
    whole = claims.email.count("@") == 1 and len(claims.email) <= MOST_ADDRESS and claims.email.isprintable()
    if not (whole and claims.email_verified and len(claims.subject) <= MOST_SUBJECT):
        return None
    name = readable_name(claims.name)
    values: list[Any] = [new_id(), row.pk, claims.subject, claims.email, name, new_id(), make_password(None)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM exfm_adopt_identity(%s, %s, %s, %s, %s, %s, %s)", values)
        found = cursor.fetchone()
    user = load_user(found[0]) if found else None
    if found is None or user is None:
        return None
    _, created, tenant_id, role = found
    with acting(Actor(label=user.email, user_id=user.pk, request_id=current_actor().request_id)):
        with user_scope(user.pk):
            after = {"provider": row.slug, "created": created, "password_ended": not created}
            audit.record_account("account.link_identity", user, after=after)
        if tenant_id is not None:
            with tenant_scope(tenant_id, user.pk):
                tenant = Tenant.objects.filter(id=tenant_id, status=Tenant.Status.ACTIVE).first()
                if tenant and not Membership.objects.filter(user=user).exists():
                    services.add_member(tenant=tenant, user=user, role=Role(role))
    return user


@transaction.atomic
def create_provider(*, values: dict[str, Any], reason: str) -> IdentityProvider:
    """For administrators: trust a provider."""
    check_address(values["issuer"])
    if IdentityProvider.objects.filter(slug=values["slug"]).exists():
        raise Conflict("provider_exists", "A provider of that slug exists.", "Choose another slug.", field="slug")
    row = IdentityProvider(**{**values, "client_secret": encrypt(values.get("client_secret", ""))})
    row.save(force_insert=True)
    audit.record("identity_provider.create", row, after=_told(row), reason=reason)
    return row


@transaction.atomic
def change_provider(*, row: IdentityProvider, values: dict[str, Any], reason: str) -> IdentityProvider:
    """For administrators: change a provider, or stop trusting it (`is_active`).

    Proofs of a second factor that it gave end with any change of what the trust rests on, for good.
    """
    before = _told(row)
    for name, value in values.items():
        setattr(row, name, encrypt(value) if name == "client_secret" else value)
    if any(before[name] != _told(row)[name] for name in TRUST_RESTS_ON):
        row.trust = F("trust") + 1
    row.save()
    row.refresh_from_db(fields=["trust"])
    audit.record("identity_provider.change", row, before=before, after=_told(row), reason=reason)
    return row


DOMAIN: Final = r"^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\.[A-Za-z]{2,}$"
"""What an e-mail domain looks like; at most `MOST_DOMAIN` characters."""
MOST_DOMAIN: Final = 253


def check_domain(*, domain: str, role: Role) -> str:
    """Return the domain as it is stored; raise Invalid or Conflict where no provider can be given it in that role."""
    name = domain.strip().lower()
    if len(name) > MOST_DOMAIN or not re.match(DOMAIN, name):
        raise Invalid(
            "domain_invalid", f"{domain!r} is no e-mail domain.", "Write it like example.com.", field="domain"
        )
    if role == Role.OWNER:
        raise Invalid(
            "domain_owner", "A domain cannot make owners.", "Choose a lower role; promote by hand.", field="role"
        )
    if IdentityDomain.objects.filter(domain=name).exists():
        raise Conflict("domain_taken", f"{name} has a provider already.", "Remove that first.", field="domain")
    return name


@transaction.atomic
def add_domain(*, row: IdentityProvider, domain: str, tenant: Tenant | None, role: Role, reason: str) -> IdentityDomain:
    """For administrators: let a provider speak for a domain's addresses; its people join `tenant` in `role`."""
    name = check_domain(domain=domain, role=role)
    found = IdentityDomain(provider=row, domain=name, tenant=tenant, role=role)
    found.save(force_insert=True)
    after = {"provider": row.slug, "domain": name, "tenant": tenant.slug if tenant else None, "role": role}
    audit.record("identity_domain.create", found, after=after, reason=reason)
    return found


@transaction.atomic
def remove_domain(*, row: IdentityProvider, domain: str, reason: str = "") -> None:
    """For administrators: people of that domain are not taken in any more; those who came stay."""
    found = IdentityDomain.objects.filter(provider=row, domain=domain.strip().lower()).first()
    if found is None:
        raise NotFound("domain_not_found", "The provider does not speak for that domain.")
    before = {"provider": row.slug, "domain": found.domain}
    audit.record("identity_domain.remove", found, before=before, reason=reason)
    found.delete()


def _told(row: IdentityProvider) -> dict[str, Any]:
    return {
        "slug": row.slug,
        "name": row.name,
        "issuer": row.issuer,
        "client_id": row.client_id,
        "is_active": row.is_active,
        "trusts_second_factor": row.trusts_second_factor,
        "second_factor_acr": row.second_factor_acr,
    }
