"""A person's own account: the rules of passwords, changing one, and setting a new one by a one-time link.

Tenants' processes may not write users, so both database roles go through the functions of the migrations.
"""

import uuid
from datetime import timedelta

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from tenancy import audit, links, lockout
from tenancy.errors import Conflict, Forbidden, Invalid, NotFound
from tenancy.models import PasswordReset, User
from tenancy.scope import user_scope

SERVICE_DOMAIN = "service.invalid"
"""Domain of service accounts' addresses; RFC 2606 keeps it from ever being anybody's."""

RESET_LASTS = timedelta(hours=24)


def refuse_weak(password: str, user: User) -> None:
    """Raise `Invalid` unless the installation's rules accept the password for this user."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid(
            "password_weak", " ".join(error.messages), "Choose a longer, less guessable password.", field="password"
        ) from error


def hash_of(email: str) -> tuple[uuid.UUID, str] | None:
    """Return id and password hash of the person with that address; None for strangers and service accounts."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, password FROM exfm_login(%s)", [email.strip().lower()])
        row = cursor.fetchone()
    return (row[0], row[1]) if row else None


def insert_user(*, user: User, password: str | None) -> None:
    """Store a new user; `password` None makes one that no password opens."""
    user.email = user.email.strip().lower()
    hashed = make_password(password)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT exfm_create_user(%s, %s, %s, %s, %s)", [user.pk, user.email, user.name, hashed, user.is_service]
        )
    user.password = hashed


def change_password(*, user: User, current: str, new: str) -> None:
    """Change one's own password; all other sessions end. Raises `Forbidden` if `current` is wrong.

    Wrong ones count as failed sign-ins do: who finds a session open must not guess its password there.
    """
    refuse_weak(new, user)
    lockout.refuse_if_password_locked(email=user.email)
    known = hash_of(user.email)
    if known is None or not check_password(current, known[1]):
        lockout.count_password_failure(email=user.email)
        raise Forbidden(
            "password_wrong", "The current password is not right.", "Check it; passwords are case-sensitive."
        )
    hashed = make_password(new)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT exfm_change_password(%s, %s, %s)", [user.pk, known[1], hashed])
            changed = cursor.fetchone()[0]
        if not changed and user.is_staff:
            raise Forbidden(
                "administrators_elsewhere",
                "An administrator's password is not changed from here.",
                "Change it on the operators' site.",
            )
        if not changed:
            raise Conflict("changed_meanwhile", "The password was changed meanwhile.", "Sign in again.")
        audit.record_account("account.change_password", user)
    user.password = hashed
    user._stamp = None


@transaction.atomic
def issue_password_reset(*, user: User, reason: str) -> tuple[PasswordReset, str]:
    """For administrators: make a link that sets a new password once. Returns the row and the secret, shown once."""
    if user.is_service:
        raise Invalid("service_account", "A service account has no password.", "Make a token for it.")
    now = timezone.now()
    PasswordReset.objects.filter(user=user, used_at__isnull=True).update(used_at=now)
    secret, digest = links.fresh()
    row = PasswordReset.objects.create(user=user, digest=digest, expires_at=now + RESET_LASTS)
    audit.record("user.issue_password_reset", user, after={"expires_at": row.expires_at}, reason=reason)
    return row, secret


@transaction.atomic
def use_password_reset(*, secret: str, password: str) -> User:
    """Set a new password by a link; the link and all sessions end."""
    from tenancy.backends import load_user

    digest = links.digest(secret)
    with connection.cursor() as cursor:
        cursor.execute("SELECT exfm_password_reset(%s)", [digest])
        user_id = cursor.fetchone()[0]
    user = load_user(user_id) if user_id else None
    if user is None:
        raise NotFound("link_over", "This link was used, has expired, or never existed.", "Ask for a new one.")
    refuse_weak(password, user)
    with connection.cursor() as cursor:
        cursor.execute("SELECT exfm_use_password_reset(%s, %s)", [digest, make_password(password)])
        if cursor.fetchone()[0] is None:
            raise Conflict("link_over", "This link was used meanwhile.", "Ask for a new one.")
    with user_scope(user.pk):
        audit.record_account("account.reset_password", user)
    return user
