"""Invitations: an owner offers a role to an e-mail address; whoever holds the link and the address accepts it once."""

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from tenancy import accounts, audit, links, mail
from tenancy.backends import load_user
from tenancy.context import Actor, acting, current_actor
from tenancy.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Unauthenticated
from tenancy.ids import new_id
from tenancy.models import Invitation, Membership, Role, Tenant, User
from tenancy.names import clean_name
from tenancy.roles import ROLES, allows
from tenancy.scope import tenant_scope

STATES = [(name, name) for name in ("open", "accepted", "revoked", "expired")]
DAYS = 7
MOST_DAYS = 30

LETTER = """{inviter} invites you to join {tenant} on {site} as {role}.

Open this link within {days} days. It works once, and only for this address:

{link}

If you did not expect this, do nothing.
"""


def all_of_tenant() -> QuerySet[Invitation]:
    """Return the invitations of the tenant in scope, newest first, with who made them."""
    return Invitation.objects.select_related("invited_by").defer("digest", "invited_by__password").order_by("-id")


def state_of(invitation: Invitation) -> str:
    """Return open, accepted, revoked or expired."""
    return state_at(invitation.accepted_at, invitation.revoked_at, invitation.expires_at)


def state_at(accepted_at: datetime | None, revoked_at: datetime | None, expires_at: datetime) -> str:
    """Return the same, of the three moments."""
    if accepted_at:
        return "accepted"
    if revoked_at:
        return "revoked"
    return "expired" if expires_at <= timezone.now() else "open"


@transaction.atomic
def invite(
    *, tenant: Tenant, inviter: Membership, email: str, role: Role, days: int, scopes: Collection[str] | None = None
) -> tuple[Invitation, str, bool]:
    """Offer a role; returns the row, the link (shown once), and whether a letter goes out.

    An open offer to the same address ends. `scopes` are those of the inviter's token, which may not give more than it
    has itself.
    """
    address = email.strip().lower()
    beyond = ROLES[role] - ROLES[Role(inviter.role)]
    if scopes is not None:
        beyond |= ROLES[role] - frozenset(scopes)
    if beyond:
        raise Forbidden(
            "role_beyond_inviter",
            f"You cannot offer the role {role}: it includes {', '.join(sorted(beyond))}.",
            "Offer a role that may do no more than you.",
        )
    if address.endswith(f"@{accounts.SERVICE_DOMAIN}"):
        raise Invalid("email_reserved", "This address belongs to service accounts.", "Use a person's.", field="email")
    if Membership.objects.filter(user__email=address).exists():
        raise Conflict(
            "member_exists", f"{address} is a member already.", "Change the member's role instead.", field="email"
        )
    now = timezone.now()
    replaced = Invitation.objects.filter(email=address, accepted_at__isnull=True, revoked_at__isnull=True)
    ended = replaced.update(revoked_at=now)
    secret, digest = links.fresh()
    row = Invitation(
        tenant=tenant,
        email=address,
        role=role,
        digest=digest,
        invited_by=inviter.user,
        expires_at=now + timedelta(days=days),
    )
    row.save(force_insert=True)
    after = {"email": address, "role": role, "expires_at": row.expires_at, "replaces": ended}
    audit.record("invitation.create", row, after=after)
    link = links.address("invitation", secret)
    text = LETTER.format(
        inviter=inviter.user.email, tenant=tenant.name, site=settings.SITE_NAME, role=role, days=days, link=link
    )
    sent = mail.send_later(to=address, subject=f"{tenant.name} on {settings.SITE_NAME}", text=text)
    return row, link, sent


@transaction.atomic
def revoke(*, invitation: Invitation) -> None:
    """End an offer; its link is dead at once."""
    if state_of(invitation) == "accepted":
        raise Conflict("invitation_accepted", "It was accepted already.", "Remove the member instead.")
    if invitation.revoked_at is None:
        invitation.revoked_at = timezone.now()
        invitation.save(update_fields=["revoked_at"])
        audit.record("invitation.revoke", invitation, before={"email": invitation.email, "role": invitation.role})


def look(*, secret: str) -> tuple[Invitation, Tenant, bool]:
    """Return what a link offers, and whether its address has an account already; `NotFound` once it is over."""
    found_id, tenant_id = _find(secret)
    with tenant_scope(tenant_id):
        invitation = _open(found_id)
        return invitation, invitation.tenant, accounts.hash_of(invitation.email) is not None


def accept(*, secret: str, user: User | None, name: str = "", password: str = "") -> tuple[User, Tenant]:
    """Join: as the signed-in user of that address, or as a new user with a name and password."""
    found_id, tenant_id = _find(secret)
    with tenant_scope(tenant_id):
        invitation = _open(found_id, lock=True)
        joining = user or _new_user(invitation, name=name, password=password)
        if joining.email != invitation.email:
            raise Conflict(
                "invitation_for_another",
                "This invitation is for another e-mail address than yours.",
                "Sign out, or ask for an invitation to your own address.",
            )
        before = current_actor()
        with acting(Actor(label=joining.email, user_id=joining.pk, request_id=before.request_id)):
            if user is None:
                accounts.insert_user(user=joining, password=password)
                audit.record_account("account.create", joining, after={"email": joining.email, "name": joining.name})
            _join(invitation, joining)
        return joining, invitation.tenant


def _join(invitation: Invitation, user: User) -> None:
    if Membership.objects.filter(user_id=user.pk).exists():
        raise Conflict("member_exists", "You are a member already.", "Open the tenant.")
    membership = Membership.objects.create(tenant_id=invitation.tenant_id, user=user, role=invitation.role)
    invitation.accepted_at, invitation.accepted_by = timezone.now(), user
    invitation.save(update_fields=["accepted_at", "accepted_by"])
    audit.record(
        "member.add",
        membership,
        after={"email": user.email, "role": invitation.role, "invitation": invitation.pk},
    )


def _new_user(invitation: Invitation, *, name: str, password: str) -> User:
    if accounts.hash_of(invitation.email) is not None:
        raise Unauthenticated(
            "sign_in_first", f"{invitation.email} has an account already.", "Sign in, then open the link again."
        )
    if not password:
        raise Invalid("password_missing", "A new account needs a password.", "Send password.", field="password")
    user = User(id=new_id(), email=invitation.email, name=clean_name(name) if name else "")
    accounts.refuse_weak(password, user)
    return user


def _find(secret: str) -> tuple[uuid.UUID, uuid.UUID]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, tenant_id FROM exfm_invitation(%s)", [links.digest(secret)])
        row = cursor.fetchone()
    if row is None:
        raise _over()
    return row[0], row[1]


def _open(invitation_id: uuid.UUID, *, lock: bool = False) -> Invitation:
    """Return the invitation if it can still be accepted: neither used nor over, and its maker may still invite."""
    rows = Invitation.objects.filter(id=invitation_id)
    invitation = (rows.select_for_update(of=("self",)) if lock else rows).first()
    if invitation is None or state_of(invitation) != "open":
        raise _over()
    inviter = Membership.objects.filter(user_id=invitation.invited_by_id).first()
    maker = load_user(invitation.invited_by_id)
    able = inviter is not None and allows(inviter.role, "members:write")
    if maker is None or inviter is None or not able or ROLES[Role(invitation.role)] - ROLES[Role(inviter.role)]:
        raise _over()
    if invitation.tenant.status != Tenant.Status.ACTIVE:
        raise _over()
    return invitation


def _over() -> DomainError:
    return NotFound(
        "link_over", "This invitation was used, withdrawn, has expired, or never existed.", "Ask for a new one."
    )
