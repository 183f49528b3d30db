"""Whether a request's credential is a real one, asked before its body is read: a made-up cookie stores no gigabyte."""

from collections.abc import MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection

from tenancy import tokens
from tenancy.errors import Unauthenticated
from tenancy.sessions import SessionStore


async def is_known(scope: MutableMapping[str, Any]) -> bool:
    """Tell whether the ASGI request carries a valid token, or the cookie of a session in which somebody signed in."""
    headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
    return await sync_to_async(_check)(headers.get(b"authorization", ""), headers.get(b"cookie", ""))


def _check(authorization: str, cookies: str) -> bool:
    try:
        scheme, _, text = authorization.partition(" ")
        if scheme.lower() == "bearer":
            tokens.verify(text.strip())
            return True
        jar: SimpleCookie = SimpleCookie()
        jar.load(cookies)
        morsel = jar.get(settings.SESSION_COOKIE_NAME)
        return morsel is not None and "_auth_user_id" in SessionStore(morsel.value).load()
    except (Unauthenticated, CookieError):
        return False
    finally:
        if not connection.in_atomic_block:
            connection.close()
