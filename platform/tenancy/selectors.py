"""Reads of tenancy."""

import uuid

from django.db.models import QuerySet

from tenancy.errors import NotFound
from tenancy.models import ApiToken, AuditEntry, Membership, Tenant, User


def membership_by_slug(*, user_id: uuid.UUID, slug: str) -> Membership | None:
    """Return the user's membership in the tenant of that slug, tenant loaded; None also where there is no such tenant.

    Read before a scope exists: row-level security shows it because `app.user` is announced.
    """
    rows = Membership._base_manager.select_related("tenant")
    return rows.filter(user_id=user_id, tenant__slug=slug).first()


def memberships_of(*, user_id: uuid.UUID) -> list[Membership]:
    """Return all memberships of the user, tenants loaded, by slug; suspended tenants included."""
    rows = Membership._base_manager.select_related("tenant")
    return list(rows.filter(user_id=user_id).order_by("tenant__slug"))


def members() -> QuerySet[Membership]:
    """Return the memberships of the tenant in scope with their users."""
    return Membership.objects.select_related("user").defer("user__password").order_by("id")


def member(*, membership_id: uuid.UUID) -> Membership:
    """Return one membership of the tenant in scope."""
    found = members().filter(id=membership_id).first()
    if found is None:
        raise NotFound("member_not_found", "There is no such member.")
    return found


def tokens() -> QuerySet[ApiToken]:
    """Return the tokens of the tenant in scope, newest first, with their users."""
    return ApiToken.objects.select_related("user").defer("user__password").order_by("-id")


def token(*, token_id: uuid.UUID) -> ApiToken:
    """Return one token of the tenant in scope."""
    found = tokens().filter(id=token_id).first()
    if found is None:
        raise NotFound("token_not_found", "There is no such token.")
    return found


def audit_entries() -> QuerySet[AuditEntry]:
    """Return the audit log of the scope, newest first."""
    return AuditEntry.objects.order_by("-id")


def tenants() -> QuerySet[Tenant]:
    """Return all tenants this process may see, newest first."""
    return Tenant.objects.order_by("-id")


def tenant_by_slug(*, slug: str) -> Tenant:
    """Return the tenant, or raise `NotFound`."""
    found = Tenant.objects.filter(slug=slug).first()
    if found is None:
        raise NotFound("tenant_not_found", "There is no such tenant.", "GET /api/v1/admin/tenants lists all of them.")
    return found


def user_by_email(*, email: str) -> User | None:
    """Return a user by e-mail address; only processes with the platform's role see strangers."""
    return User.objects.filter(email=email.strip().lower()).first()
