"""Writes of tenancy: each is one transaction with its audit row."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from tenancy import audit, selectors, tokens
from tenancy.accounts import SERVICE_DOMAIN, insert_user, refuse_weak
from tenancy.errors import Conflict, Forbidden, Invalid
from tenancy.ids import new_id
from tenancy.models import ApiToken, Membership, Role, Tenant, User
from tenancy.names import clean_name
from tenancy.roles import ADMIN_PERMISSIONS, PERMISSIONS, ROLES
from tenancy.scope import current_scope


def create_user(*, email: str, name: str, password: str, is_staff: bool = False) -> User:
    """Create a user with a password that the rules accept, or raise `Invalid`/`Conflict`."""
    address = email.strip().lower()
    user = User(email=address, name=clean_name(name) if name else "", is_staff=is_staff, is_superuser=is_staff)
    refuse_weak(password, user)
    with transaction.atomic():
        if User.objects.filter(email=address).exists():
            raise Conflict(
                "email_taken", "A user with this e-mail address exists.", "Use another address.", field="email"
            )
        user.set_password(password)
        user.save(force_insert=True)
        audit.record("user.create", user, after={"email": user.email, "name": user.name, "is_staff": is_staff})
    return user


def set_password(*, user: User, password: str) -> None:
    """Change a password; all sessions of the user end."""
    refuse_weak(password, user)
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password"])
        audit.record("user.set_password", user)


@transaction.atomic
def set_user_active(*, user: User, is_active: bool, reason: str) -> User:
    """Let a user sign in, or not; sessions and tokens of an inactive user are refused at once."""
    before = user.is_active
    if before != is_active:
        user.is_active = is_active
        user.save(update_fields=["is_active"])
        audit.record("user.active", user, before={"is_active": before}, after={"is_active": is_active}, reason=reason)
    return user


@transaction.atomic
def create_tenant(*, slug: str, name: str, owner: User, domain: str = "") -> Tenant:
    """Create a tenant with its first owner."""
    name = clean_name(name)
    if Tenant.objects.filter(slug=slug).exists():
        raise Conflict("tenant_exists", f"A tenant with the slug {slug} exists.", "Choose another slug.", field="slug")
    tenant = Tenant.objects.create(slug=slug, name=name, domain=domain)
    audit.record("tenant.create", tenant, after={"slug": slug, "name": name, "domain": domain})
    add_member(tenant=tenant, user=owner, role=Role.OWNER)
    return tenant


@transaction.atomic
def set_tenant_status(*, tenant: Tenant, status: Tenant.Status, reason: str) -> Tenant:
    """Suspend or reactivate a tenant; while suspended its members and tokens get 403."""
    before = tenant.status
    if Tenant.Status.ERASED in {before, status}:
        raise Conflict(
            "tenant_erased", "An erased tenant stays erased, and nobody erases one by hand.", "Make a new one."
        )
    if before != status:
        selectors.wait_for_holders(tenant_id=tenant.id)
        tenant.status = status
        tenant.save(update_fields=["status"])
        audit.record("tenant.status", tenant, before={"status": before}, after={"status": status}, reason=reason)
    return tenant


@transaction.atomic
def add_member(*, tenant: Tenant, user: User, role: Role) -> Membership:
    """Make a user a member."""
    if Membership.objects.filter(tenant=tenant, user=user).exists():
        raise Conflict(
            "member_exists", f"{user.email} is a member already.", "Change the member's role instead.", field="email"
        )
    membership = Membership.objects.create(tenant=tenant, user=user, role=role)
    audit.record("member.add", membership, after={"email": user.email, "role": role})
    return membership


@transaction.atomic
def change_role(*, membership: Membership, role: Role, reason: str = "") -> Membership:
    """Give a member another role; the last owner stays owner."""
    before = membership.role
    if before == role:
        return membership
    if membership.user.is_service:
        refuse_owner_service(role)
    _keep_an_owner(membership)
    membership.role = role
    membership.save(update_fields=["role"])
    audit.record("member.role", membership, before={"role": before}, after={"role": role}, reason=reason)
    return membership


@transaction.atomic
def remove_member(*, membership: Membership) -> None:
    """End a membership and revoke the member's tokens of this tenant; the last owner stays."""
    _keep_an_owner(membership)
    now = timezone.now()
    own = ApiToken.objects.filter(tenant_id=membership.tenant_id, user_id=membership.user_id, revoked_at__isnull=True)
    own.update(revoked_at=now)
    gone = {"user": membership.user_id, "who": membership.user.label, "role": membership.role}
    audit.record("member.remove", membership, before=gone)
    membership.delete()


def _keep_an_owner(membership: Membership) -> None:
    """Refuse to touch the only owner; the lock keeps two owners from removing each other at once."""
    if membership.role != Role.OWNER:
        return
    owners = Membership.objects.select_for_update().filter(tenant_id=membership.tenant_id, role=Role.OWNER)
    if len(owners) < 2:
        raise Conflict("last_owner", "This is the tenant's only owner.", "Make another member owner first.")


@transaction.atomic
def create_token(
    *, user: User, role: str, name: str, scopes: Iterable[str], expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """Create a token of the tenant in scope. Returns the row and the token's text, shown once and never stored."""
    wanted = _known_scopes(scopes, known=PERMISSIONS)
    beyond = wanted - ROLES[Role(role)]
    if beyond:
        raise Forbidden(
            "scope_beyond_role",
            f"Your role, {role}, does not include {', '.join(sorted(beyond))}.",
            "Leave those scopes out, or ask an owner to make the token.",
        )
    return _store_token(user=user, tenant_id=current_scope().tenant_id, name=name, scopes=wanted, expires_at=expires_at)


@transaction.atomic
def create_admin_token(*, user: User, name: str, expires_at: datetime | None = None) -> tuple[ApiToken, str]:
    """Create a platform administrator's token with all administrators' scopes, outside every tenant."""
    if not user.is_staff:
        raise Forbidden("not_an_administrator", f"{user.email} is not a platform administrator.")
    return _store_token(user=user, tenant_id=None, name=name, scopes=ADMIN_PERMISSIONS, expires_at=expires_at)


@transaction.atomic
def revoke_token(*, token: ApiToken) -> ApiToken:
    """Revoke a token; the next request with it is refused."""
    if token.revoked_at is None:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
        audit.record("token.revoke", token, after={"name": token.name, "prefix": token.prefix})
    return token


@transaction.atomic
def create_service_account(*, tenant: Tenant, name: str, role: Role) -> Membership:
    """Make a member that is no person: it cannot sign in and acts by tokens that owners make for it."""
    refuse_owner_service(role)
    user = User(id=new_id(), name=clean_name(name), is_service=True)
    user.email = f"{user.id}@{SERVICE_DOMAIN}"
    insert_user(user=user, password=None)
    membership = Membership.objects.create(tenant=tenant, user=user, role=role)
    audit.record("service_account.create", membership, after={"name": user.name, "role": role})
    return membership


def refuse_owner_service(role: str) -> None:
    """Raise `Invalid` for a service account that would own the tenant: a program must not hand out rights."""
    if role == Role.OWNER:
        raise Invalid(
            "service_account_owner",
            "A service account cannot be an owner.",
            "Choose engineer, viewer or billing.",
            field="role",
        )


def _known_scopes(scopes: Iterable[str], *, known: frozenset[str]) -> frozenset[str]:
    wanted = frozenset(scopes)
    unknown = wanted - known
    if unknown or not wanted:
        what = f"Unknown scopes: {', '.join(sorted(unknown))}." if unknown else "A token needs at least one scope."
        raise Invalid("scope_unknown", what, f"Choose from {', '.join(sorted(known))}.", field="scopes")
    return wanted


def _store_token(
    *, user: User, tenant_id: uuid.UUID | None, name: str, scopes: frozenset[str], expires_at: datetime | None
) -> tuple[ApiToken, str]:
    if expires_at is not None and expires_at <= timezone.now():
        raise Invalid(
            "expiry_past",
            "The expiry lies in the past.",
            "Give a time in the future, or leave it out.",
            field="expires_at",
        )
    name = clean_name(name)
    secret = tokens.fresh()
    row = ApiToken(
        tenant_id=tenant_id,
        user=user,
        name=name,
        prefix=secret.prefix,
        digest=secret.digest,
        scopes=sorted(scopes),
        expires_at=expires_at,
    )
    row.save(force_insert=True)
    audit.record(
        "token.create", row, after={"name": name, "prefix": row.prefix, "scopes": row.scopes, "expires_at": expires_at}
    )
    return row, secret.text
