"""Whose a request is, asked before its body is read: a made-up cookie, or a stranger, stores no gigabyte."""

import re
import uuid
from collections.abc import MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.db import connection, transaction
from django.http import HttpRequest

from tenancy import selectors
from tenancy.backends import load_bearer
from tenancy.errors import Unauthenticated
from tenancy.sessions import SessionStore

_SLUG = re.compile(r"/api/v1/tenants/([-a-zA-Z0-9_]+)/")
"""As the routes have it: PostgreSQL is asked for nothing that is no text of its own."""


async def tenant_of(scope: MutableMapping[str, Any]) -> str | None:
    """Return the id of the tenant in the ASGI request's path, if its credential is a member's: a valid token, or the
    cookie of a session in which somebody is signed in.
    """
    headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
    slug = _SLUG.match(scope["path"])
    if slug is None or not {b"authorization", b"cookie"} & set(headers):
        return None
    return await sync_to_async(_tenant)(slug[1], headers.get(b"authorization", ""), headers.get(b"cookie", ""))


def _tenant(slug: str, authorization: str, cookies: str) -> str | None:
    try:
        user_id, only = _who(authorization, cookies)
        if user_id is None:
            return None
        with transaction.atomic():
            membership = selectors.enter(user_id=user_id, slug=slug)
        if membership is None or only not in (None, membership.tenant_id):
            return None
        return str(membership.tenant_id)
    except (Unauthenticated, CookieError):
        return None
    finally:
        if not connection.in_atomic_block:
            connection.close()


def _who(authorization: str, cookies: str) -> tuple[uuid.UUID | None, uuid.UUID | None]:
    """Return whose the credential still is, and the only tenant that it opens."""
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() == "bearer":
        user, grant = load_bearer(text.strip())
        return user.pk, grant.tenant_id
    jar: SimpleCookie = SimpleCookie()
    jar.load(cookies)
    morsel = jar.get(settings.SESSION_COOKIE_NAME)
    if morsel is None:
        return None, None
    asking = HttpRequest()
    asking.session = SessionStore(morsel.value)
    return get_user(asking).pk, None
