"""Reads of tenancy."""

import uuid
from datetime import datetime

from django.db import connection
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from tenancy.errors import NotFound
from tenancy.models import ApiToken, AuditEntry, Membership, Tenant, User

_MEMBER = tuple(field.attname for field in Membership._meta.concrete_fields)
_TENANT = tuple(field.attname for field in Tenant._meta.concrete_fields)
_COLUMNS = ", ".join([*(f"m.{name}" for name in _MEMBER), *(f"t.{name}" for name in _TENANT)])
_ENTER = f"""
SELECT set_config('app.tenant', '', true), set_config('app.user', %(user)s, true);
SELECT {_COLUMNS}, set_config('app.tenant', t.id::text, true)
FROM tenancy_membership m JOIN tenancy_tenant t ON t.id = m.tenant_id
WHERE m.user_id = %(user)s AND t.slug = %(slug)s
"""  # noqa: S608
"""Written out because every request asks it: composing it anew takes longer than PostgreSQL takes to answer."""


def enter(*, user_id: uuid.UUID, slug: str) -> Membership | None:
    """Return the user's membership in the tenant of that slug, tenant loaded; None also where there is no such tenant.

    In one round trip PostgreSQL is told of the user, whose memberships row-level security shows from then on, and of
    the tenant, if they are a member: for the rest of the transaction. Whoever is refused rolls it back.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ENTER, {"user": str(user_id), "slug": slug})
        cursor.nextset()
        row = cursor.fetchone()
    if row is None:
        return None
    membership = Membership.from_db(connection.alias, _MEMBER, row[: len(_MEMBER)])
    membership.tenant = Tenant.from_db(connection.alias, _TENANT, row[len(_MEMBER) : -1])
    return membership


def hold_tenant(*, tenant_id: uuid.UUID) -> None:
    """Keep the tenant as it is until the transaction ends: whoever suspends it meanwhile waits.

    A lock by name, because it queues: one share of the row after another would keep who suspends it out for ever.
    """
    _lock_tenant("pg_advisory_xact_lock_shared", tenant_id)


def wait_for_holders(*, tenant_id: uuid.UUID) -> None:
    """Wait for all `hold_tenant`, and have those that come later wait for the end of this transaction."""
    _lock_tenant("pg_advisory_xact_lock", tenant_id)


def _lock_tenant(function: str, tenant_id: uuid.UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(hashtextextended(%s, 0))", [f"tenant:{tenant_id}"])


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


def audit_entries(
    *,
    actor: str = "",
    action: str = "",
    target_type: str = "",
    target_id: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    q: str = "",
) -> QuerySet[AuditEntry]:
    """Return the entries of the scope that match all conditions, newest first.

    `action` ending in a dot is the beginning of one; `q` is looked for in values, reason, target and request id.
    """
    rows = AuditEntry.objects.select_related("tenant").order_by("-id")
    if actor:
        rows = rows.filter(actor_label__icontains=actor)
    if action:
        rows = rows.filter(**{"action__startswith" if action.endswith(".") else "action": action})
    if target_type:
        rows = rows.filter(target_type=target_type)
    if target_id:
        rows = rows.filter(target_id=target_id)
    if since:
        rows = rows.filter(created_at__gte=since)
    if until:
        rows = rows.filter(created_at__lt=until)
    if q:
        rows = rows.annotate(was=Cast("before", TextField()), became=Cast("after", TextField())).filter(
            Q(was__icontains=q)
            | Q(became__icontains=q)
            | Q(reason__icontains=q)
            | Q(target_id__icontains=q)
            | Q(request_id__icontains=q)
        )
    return rows


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


def users(*, email: str = "") -> QuerySet[User]:
    """Return the people that have an account, newest first; `email` is a part of their address."""
    rows = User.objects.filter(is_service=False).order_by("-id")
    return rows.filter(email__icontains=email) if email else rows


def user(*, user_id: uuid.UUID) -> User:
    """Return one person's account."""
    found = User.objects.filter(id=user_id, is_service=False).first()
    if found is None:
        raise NotFound("user_not_found", "There is no such user.", "GET /api/v1/admin/users lists all of them.")
    return found
