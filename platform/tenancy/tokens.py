"""API tokens: `exfm_<prefix>_<secret>`. The prefix finds the row, the secret's SHA-256 proves it; shown once."""

import hashlib
import hmac
import re
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from tenancy.errors import Unauthenticated

_SHAPE = re.compile(r"^exfm_([a-z0-9]{10})_([A-Za-z0-9_-]{43})$")
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class Secret:
    """A fresh token: `text` goes to its owner once; prefix and digest are stored."""

    text: str
    prefix: str
    digest: str


@dataclass(frozen=True)
class TokenGrant:
    """What a presented token proves. `tenant_id` None = a platform administrator's."""

    id: uuid.UUID
    prefix: str
    tenant_id: uuid.UUID | None
    user_id: uuid.UUID
    scopes: frozenset[str]


def fresh() -> Secret:
    """Make a token of 256 random bits."""
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(10))
    secret = secrets.token_urlsafe(32)
    return Secret(text=f"exfm_{prefix}_{secret}", prefix=prefix, digest=digest(secret))


def digest(secret: str) -> str:
    """Return what is stored of a secret. No salt or stretching: it is random, not chosen."""
    return hashlib.sha256(secret.encode()).hexdigest()


def parts(text: str) -> tuple[str, str]:
    """Return prefix and secret of a token's text, or raise `Unauthenticated`."""
    match = _SHAPE.match(text)
    if match is None:
        raise Unauthenticated(
            "token_malformed", "This is not an ExFM token.", "Send `Authorization: Bearer exfm_…` in full."
        )
    return match[1], match[2]


LAST_USED = timedelta(minutes=1)
"""How exactly a token's last use is known: a write per request would cost more than the request."""

COLUMNS = ("id", "tenant_id", "user_id", "digest", "scopes", "expires_at", "revoked_at", "last_used_at")
"""What `granted` reads, of the function `exfm_token`."""


def granted(row: Sequence[Any] | None, *, prefix: str, secret: str) -> TokenGrant:
    """Return what the token of that row grants now, or raise `Unauthenticated`: unknown, revoked, or over."""
    if row is None or not hmac.compare_digest(row[3], digest(secret)):
        raise Unauthenticated("token_unknown", "This token does not exist.", "Make a new token and use that.")
    refuse_if_over(expires_at=row[5], revoked_at=row[6])
    if row[7] is None or row[7] < timezone.now() - LAST_USED:
        _touch(row[0])
    return TokenGrant(id=row[0], prefix=prefix, tenant_id=row[1], user_id=row[2], scopes=frozenset(row[4]))


def verify(text: str) -> TokenGrant:
    """Return what the token grants now, or raise `Unauthenticated`; revocation and expiry act at once."""
    prefix, secret = parts(text)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(COLUMNS)} FROM exfm_token(%s)", [prefix])  # noqa: S608
        row = cursor.fetchone()
    return granted(row, prefix=prefix, secret=secret)


def _touch(token_id: uuid.UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT exfm_touch_token(%s)", [token_id])


def refuse_if_over(*, expires_at: datetime | None, revoked_at: datetime | None) -> None:
    """Raise `Unauthenticated` for a token that was revoked or has expired."""
    if revoked_at is not None:
        raise Unauthenticated("token_revoked", "This token was revoked.", "Make a new token and use that.")
    if expires_at is not None and expires_at <= timezone.now():
        raise Unauthenticated("token_expired", "This token has expired.", "Make a new token and use that.")
