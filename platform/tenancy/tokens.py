"""API tokens: `exfm_<prefix>_<secret>`. The prefix finds the row, the secret's SHA-256 proves it; shown once."""

import hashlib
import hmac
import re
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime

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


def verify(text: str) -> TokenGrant:
    """Return what the token grants now, or raise `Unauthenticated`; revocation and expiry act at once."""
    match = _SHAPE.match(text)
    if match is None:
        raise Unauthenticated(
            "token_malformed", "This is not an ExFM token.", "Send `Authorization: Bearer exfm_…` in full."
        )
    prefix, secret = match.groups()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, tenant_id, user_id, digest, scopes, expires_at, revoked_at FROM exfm_token(%s)", [prefix]
        )
        row = cursor.fetchone()
        if row is None or not hmac.compare_digest(row[3], digest(secret)):
            raise Unauthenticated("token_unknown", "This token does not exist.", "Make a new token and use that.")
        refuse_if_over(expires_at=row[5], revoked_at=row[6])
        cursor.execute("SELECT exfm_touch_token(%s)", [row[0]])
    return TokenGrant(id=row[0], prefix=prefix, tenant_id=row[1], user_id=row[2], scopes=frozenset(row[4]))


def refuse_if_over(*, expires_at: datetime | None, revoked_at: datetime | None) -> None:
    """Raise `Unauthenticated` for a token that was revoked or has expired."""
    if revoked_at is not None:
        raise Unauthenticated("token_revoked", "This token was revoked.", "Make a new token and use that.")
    if expires_at is not None and expires_at <= timezone.now():
        raise Unauthenticated("token_expired", "This token has expired.", "Make a new token and use that.")
