"""The second factor: one-time codes of an authenticator app (RFC 6238), and recovery codes for the day it is lost."""

import hmac
import io
import secrets
import time
import uuid
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from tenancy import audit, lockout
from tenancy.errors import Conflict, Invalid, Unauthenticated
from tenancy.links import digest
from tenancy.models import RecoveryCode, SecondFactor, User
from tenancy.scope import user_scope
from tenancy.secrecy import decrypt, encrypt

STEP_SECONDS = 30
DRIFT_STEPS = 1
RECOVERY_CODES = 10
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class Setup:
    """What an app needs: the secret to type, or the address to scan."""

    secret: str
    address: str
    picture: str


def is_on(user: User) -> bool:
    """Tell whether sign-in asks the user for a code."""
    with user_scope(user.pk):
        return SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).exists()


def codes_left(user: User) -> int:
    """Return how many recovery codes are unused."""
    with user_scope(user.pk):
        return RecoveryCode.objects.filter(user=user, used_at__isnull=True).count()


def passed(*, user_id: uuid.UUID, email: str, code: str) -> bool:
    """At sign-in, after the password: whether the code is right, or none is asked for.

    Raises `Unauthenticated` where one is asked for and missing; wrong ones count, too many raise `TooManyRequests`.
    """
    with user_scope(user_id):
        factor = SecondFactor.objects.filter(user_id=user_id, confirmed_at__isnull=False).first()
    if factor is None:
        return True
    if not code.strip():
        raise Unauthenticated(
            "second_factor_required",
            "This account asks for a code as well.",
            "Send `code`: six digits of the authenticator app, or a recovery code.",
        )
    lockout.refuse_if_factor_locked(email=email)
    with user_scope(user_id):
        right = _accept(factor, code) or _use_recovery_code(user_id, code)
    if not right:
        lockout.count_factor_failure(email=email)
    return right


def begin(user: User) -> Setup:
    """Make a secret. It asks for nothing until `confirm` shows that an app holds it."""
    import pyotp
    import segno

    if is_on(user):
        raise Conflict("second_factor_on", "The second factor is on already.", "Turn it off first.")
    secret = pyotp.random_base32()
    address = pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=settings.SITE_NAME)
    with user_scope(user.pk):
        SecondFactor.objects.filter(user=user).delete()
        SecondFactor(user=user, secret=encrypt(secret)).save(force_insert=True)
        audit.record_account("account.second_factor_begin", user)
    picture = io.BytesIO()
    segno.make(address, micro=False).save(picture, kind="svg", scale=4, border=2, dark="#000", light="#fff")
    return Setup(secret=secret, address=address, picture=picture.getvalue().decode())


def confirm(user: User, code: str) -> list[str]:
    """Turn the second factor on; returns recovery codes, shown once."""
    with user_scope(user.pk):
        factor = SecondFactor.objects.filter(user=user, confirmed_at__isnull=True).first()
        if factor is None:
            raise Conflict("second_factor_not_begun", "There is no secret to confirm.", "Begin the set-up first.")
        if not _accept(factor, code):
            raise _wrong()
        SecondFactor.objects.filter(pk=factor.pk).update(confirmed_at=timezone.now())
        codes = _new_codes(user)
        audit.record_account("account.second_factor_on", user)
    return codes


def renew_codes(user: User, code: str) -> list[str]:
    """Replace all recovery codes."""
    _prove(user, code)
    with user_scope(user.pk):
        codes = _new_codes(user)
        audit.record_account("account.recovery_codes", user)
    return codes


def turn_off(user: User, code: str) -> None:
    """Turn the second factor off."""
    _prove(user, code)
    with user_scope(user.pk):
        _forget(user)
        audit.record_account("account.second_factor_off", user)


@transaction.atomic
def remove(*, user: User, reason: str) -> None:
    """For administrators: turn off a factor that its user has lost."""
    if _forget(user):
        audit.record("user.remove_second_factor", user, reason=reason)


def _prove(user: User, code: str) -> None:
    if not is_on(user):
        raise Conflict("second_factor_off", "The second factor is off.", "Turn it on first.")
    if not passed(user_id=user.pk, email=user.email, code=code or " "):
        raise _wrong()


def _wrong() -> Invalid:
    return Invalid("code_wrong", "The code is not right.", "Type the six digits that the app shows now.", field="code")


def _accept(factor: SecondFactor, code: str) -> bool:
    """Check a code of the app; a time step counts once."""
    import pyotp

    typed = code.replace(" ", "")
    app = pyotp.TOTP(decrypt(factor.secret), interval=STEP_SECONDS)
    now = int(time.time()) // STEP_SECONDS
    for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1):
        if hmac.compare_digest(app.generate_otp(step).encode(), typed.encode()):
            return bool(SecondFactor.objects.filter(pk=factor.pk, last_step__lt=step).update(last_step=step))
    return False


def _use_recovery_code(user_id: uuid.UUID, code: str) -> bool:
    unused = RecoveryCode.objects.filter(user_id=user_id, digest=_code_digest(user_id, code), used_at__isnull=True)
    return bool(unused.update(used_at=timezone.now()))


def _new_codes(user: User) -> list[str]:
    RecoveryCode.objects.filter(user=user).delete()
    codes = [
        "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4)) for _ in range(RECOVERY_CODES)
    ]
    RecoveryCode.objects.bulk_create(RecoveryCode(user=user, digest=_code_digest(user.pk, code)) for code in codes)
    return codes


def _code_digest(user_id: uuid.UUID, code: str) -> str:
    plain = "".join(char for char in code.lower() if char.isalnum())
    return digest(f"{user_id}:{plain}")


def _forget(user: User) -> bool:
    RecoveryCode.objects.filter(user=user).delete()
    return bool(SecondFactor.objects.filter(user=user).delete()[0])
