"""What a session has shown besides who it is, and what asks for it: tenants that require a second factor, operators.

Tokens are not asked: they are no persons signing in, and were made in a session that was.
"""

import uuid
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.db import connection, transaction
from django.http import HttpRequest

from tenancy import audit, selectors
from tenancy.errors import Conflict, Forbidden
from tenancy.models import Tenant, User
from tenancy.second_factor import Proof

_KEY = "exfm_proof"


def remember(sender: object, request: HttpRequest, user: User, **_: object) -> None:
    """Receive Django's `user_logged_in`: keep what this sign-in showed, and nothing of one before."""
    keep(request.session, Proof(user.proof))


def keep(session: SessionBase, proof: Proof) -> None:
    """Note what the session's user has shown."""
    session[_KEY] = str(proof)


def is_shown(session: SessionBase, user: User) -> bool:
    """Tell whether a second factor was shown in this session that still counts: see `Proof`."""
    return Proof(session.get(_KEY, "")).stands(user)


def lacks(session: SessionBase, user: User, tenant: Tenant) -> bool:
    """Tell whether the tenant asks this session for a second factor."""
    return tenant.requires_second_factor and not is_shown(session, user)


def refuse(asks: str) -> Forbidden:
    """Return the error of a session that has not shown a second factor to who asks for it."""
    return Forbidden(
        "second_factor_required",
        f"{asks} requires a second factor, and you have shown none in this session.",
        f"Set it up, or give its code, at {settings.EXFM_WEB_ORIGIN.rstrip('/')}/account.",
    )


def may_operate(session: SessionBase, user: User) -> bool:
    """Tell whether the session has shown what the installation asks of administrators."""
    return not settings.EXFM_ADMIN_SECOND_FACTOR or is_shown(session, user)


@transaction.atomic
def require(*, tenant: Tenant, required: bool, shown: bool) -> Tenant:
    """Require a second factor of the tenant's members, or no more. Only who has shown one asks others for theirs."""
    before = tenant.requires_second_factor
    if before == required:
        return tenant
    if not shown:
        raise Conflict(
            "second_factor_missing",
            "You have shown no second factor in this session, and would shut yourself out.",
            f"Set yours up first, at {settings.EXFM_WEB_ORIGIN.rstrip('/')}/account.",
            field="second_factor_required",
        )
    selectors.wait_for_holders(tenant_id=tenant.id)
    tenant.requires_second_factor = required
    tenant.save(update_fields=["requires_second_factor"])
    told: list[dict[str, Any]] = [{"second_factor_required": value} for value in (before, required)]
    audit.record("tenant.second_factor", tenant, before=told[0], after=told[1])
    return tenant


def members_with_one() -> set[uuid.UUID]:
    """Return which users of the tenant in scope have a second factor here; owners learn it, nobody else."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT exfm_members_with_second_factor()")
        return {row[0] for row in cursor.fetchall()}
