"""Secrets and signatures: HMAC-SHA256 over `timestamp.body`.

A secret is derived from the installation's SECRET_KEY and a random salt in the webhook's row, so that neither a copy of
the database nor a log holds one. Rotation draws a new salt; for a day the old secret signs as well.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings

from alerts.models import Webhook

PREFIX: Final = "whsec_"
OVERLAP: Final = timedelta(hours=24)
"""How long both secrets sign after a rotation."""

_PURPOSE: Final = b"exfm.alerts.webhook.secret.1:"


def fresh_salt() -> str:
    """Return a new salt of 256 random bits."""
    return secrets.token_hex(32)


def secret_of(salt: str, key: str = "") -> str:
    """Return the secret that belongs to a salt under a key (SECRET_KEY): `whsec_` and 43 characters."""
    digest = hmac.digest((key or settings.SECRET_KEY).encode(), _PURPOSE + salt.encode(), hashlib.sha256)
    return PREFIX + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def secrets_of(webhook: Webhook, now: datetime) -> list[str]:
    """Return the secrets that sign now, the newest first.

    While SECRET_KEY_FALLBACKS names keys before, what was derived from them signs as well.
    """
    salts = [webhook.salt]
    if webhook.previous_salt and webhook.previous_until and now < webhook.previous_until:
        salts.append(webhook.previous_salt)
    return [secret_of(salt, key) for salt in salts for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """Return the hexadecimal HMAC-SHA256 of `timestamp.body` under the secret's text."""
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def header(secrets_: list[str], timestamp: int, body: bytes) -> str:
    """Return the `Exfm-Signature` header: `t=<seconds>,v1=<hex>`, with one `v1` per secret."""
    return ",".join([f"t={timestamp}", *(f"v1={signature(secret, timestamp, body)}" for secret in secrets_)])
