"""One-time links: 256 random bits after the `#` of an address, so that no log and no referrer holds them."""

import hashlib
import secrets

from django.conf import settings


def fresh() -> tuple[str, str]:
    """Return a new link's secret and the digest that is stored."""
    secret = secrets.token_urlsafe(32)
    return secret, digest(secret)


def digest(secret: str) -> str:
    """Return what is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def address(page: str, secret: str) -> str:
    """Return the address of a page of the dashboard that reads the secret."""
    return f"{settings.EXFM_WEB_ORIGIN.rstrip('/')}/{page}#{secret}"
