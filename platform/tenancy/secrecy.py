"""Secrets that must be read again are encrypted in the database, under a key derived from SECRET_KEY.

Fernet: AES-128-CBC with HMAC-SHA256. Whoever has a copy of the database alone reads none of them. With another
SECRET_KEY they cannot be read any more: `SECRET_KEY_FALLBACKS` keeps the ones before.
"""

import base64
import hashlib

from django.conf import settings

from tenancy.errors import Conflict

_PURPOSE = b"exfm secrets at rest"


def encrypt(text: str) -> str:
    """Return what may be stored; "" stays ""."""
    from cryptography.fernet import Fernet

    return Fernet(_key(settings.SECRET_KEY)).encrypt(text.encode()).decode() if text else ""


def decrypt(stored: str) -> str:
    """Return the secret, or raise `Conflict` where SECRET_KEY is not the one it was stored under."""
    from cryptography.fernet import Fernet, InvalidToken, MultiFernet

    if not stored:
        return ""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    try:
        return MultiFernet([Fernet(_key(key)) for key in keys]).decrypt(stored.encode()).decode()
    except InvalidToken as error:
        raise Conflict(
            "secret_unreadable",
            "A stored secret was encrypted under another SECRET_KEY.",
            "Name the key before in SECRET_KEY_FALLBACKS, or set the secret anew.",
        ) from error


def _key(secret: str | bytes) -> bytes:
    material = secret if isinstance(secret, bytes) else secret.encode()
    return base64.urlsafe_b64encode(hashlib.blake2b(material, key=_PURPOSE, digest_size=32).digest())
