"""The second factor: one-time codes of an authenticator app (RFC 6238), and recovery codes for the day it is lost."""

import hmac
import io
import secrets
import time
import uuid
from dataclasses import dataclass
from typing import Self

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from tenancy import audit, lockout
from tenancy.errors import Conflict, Invalid, Unauthenticated
from tenancy.links import digest
from tenancy.models import IdentityProvider, RecoveryCode, SecondFactor, User
from tenancy.scope import user_scope
from tenancy.secrecy import decrypt, encrypt

STEP_SECONDS = 30
DRIFT_STEPS = 1
RECOVERY_CODES = 10
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


class Proof(str):
    """What a sign-in showed besides the password or the provider's word on who it is: "" = nothing.

    It names what it rests on, the factor here or the trust in the provider as it then stood, and ends with that.
    """

    __slots__ = ()

    @classmethod
    def code(cls, factor: SecondFactor) -> Self:
        """Return the proof of somebody who gave a code of that factor."""
        return cls(f"code:{factor.pk}")

    @classmethod
    def word(cls, provider: IdentityProvider) -> Self:
        """Return the proof of somebody whom the provider asked for a second factor."""
        return cls(f"provider:{provider.pk}:{provider.trust}")

    def stands(self, user: User) -> bool:
        """Tell whether the user still has that factor, or the provider that trust."""
        kind, _, rest = self.partition(":")
        if kind == "code" and rest:
            return is_on(user, factor_id=uuid.UUID(rest))
        provider_id, _, trust = rest.partition(":")
        return (
            bool(trust)
            and IdentityProvider.objects.filter(
                pk=provider_id, trust=trust, is_active=True, trusts_second_factor=True
            ).exists()
        )


@dataclass(frozen=True)
class Setup:
    """What an app needs: the secret to type, or the address to scan."""

    secret: str
    address: str
    picture: str


def is_on(user: User, *, factor_id: uuid.UUID | None = None) -> bool:
    """Tell whether sign-in asks the user for a code; with `factor_id`, whether of that factor."""
    with user_scope(user.pk):
        found = SecondFactor.objects.filter(user=user, confirmed_at__isnull=False)
        return (found.filter(pk=factor_id) if factor_id else found).exists()


def codes_left(user: User) -> int:
    """Return how many recovery codes are unused."""
    with user_scope(user.pk):
        return RecoveryCode.objects.filter(user=user, used_at__isnull=True).count()


def check(*, user_id: uuid.UUID, email: str, code: str) -> Proof | None:
    """At sign-in, after password or provider: return a right code's proof, an empty one if none is asked for.

    None for a wrong one, which counts; raises `Unauthenticated` where one is asked for and missing, `TooManyRequests`
    after too many.
    """
    with user_scope(user_id):
        factor = SecondFactor.objects.filter(user_id=user_id, confirmed_at__isnull=False).first()
    if factor is None:
        return Proof()
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
        return None
    return Proof.code(factor)


def begin(user: User) -> Setup:
    """Make a secret. It asks for nothing until `confirm` shows that an app holds it."""
    import pyotp
    import segno

    if is_on(user):
        raise Conflict("second_factor_on", "The second factor is on already.", "Turn it off first.")
    secret = pyotp.random_base32()
    address = pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=settings.SITE_NAME)
    with user_scope(user.pk):
        # One that is confirmed at this moment, elsewhere, must not go without its code.
        SecondFactor.objects.filter(user=user, confirmed_at__isnull=True).delete()
        try:
            with transaction.atomic():
                SecondFactor(user=user, secret=encrypt(secret)).save(force_insert=True)
        except IntegrityError as error:
            raise Conflict(
                "second_factor_begun", "A set-up was begun or ended at the same moment.", "Look at it, then begin anew."
            ) from error
        audit.record_account("account.second_factor_begin", user)
    picture = io.BytesIO()
    segno.make(address, micro=False).save(picture, kind="svg", scale=4, border=2, dark="#000", light="#fff")
    return Setup(secret=secret, address=address, picture=picture.getvalue().decode())


def prove(user: User, code: str) -> Proof:
    """Return the proof of a right code, else raise `DomainError`; wrong ones count."""
    if not is_on(user):
        raise Conflict("second_factor_off", "The second factor is off.", "Turn it on first.")
    proof = check(user_id=user.pk, email=user.email, code=code)
    if not proof:
        raise _wrong()
    return proof


def confirm(user: User, code: str) -> tuple[list[str], Proof]:
    """Turn the second factor on; returns recovery codes, shown once, and the proof that this code was."""
    with user_scope(user.pk):
        factor = SecondFactor.objects.filter(user=user, confirmed_at__isnull=True).first()
        if factor is None:
            raise Conflict("second_factor_not_begun", "There is no secret to confirm.", "Begin the set-up first.")
        if not _accept(factor, code):
            raise _wrong()
        SecondFactor.objects.filter(pk=factor.pk).update(confirmed_at=timezone.now())
        codes = _new_codes(user)
        audit.record_account("account.second_factor_on", user)
    return codes, Proof.code(factor)


def renew_codes(user: User, code: str) -> list[str]:
    """Replace all recovery codes."""
    prove(user, code)
    with user_scope(user.pk):
        codes = _new_codes(user)
        audit.record_account("account.recovery_codes", user)
    return codes


def turn_off(user: User, code: str) -> None:
    """Turn the second factor off."""
    prove(user, code)
    with user_scope(user.pk):
        _forget(user)
        audit.record_account("account.second_factor_off", user)


@transaction.atomic
def remove(*, user: User, reason: str) -> None:
    """For administrators: turn off a factor that its user has lost."""
    if _forget(user):
        audit.record("user.remove_second_factor", user, reason=reason)


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
