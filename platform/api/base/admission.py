"""Whether a long body is wanted, asked before it is read: a viewer, or a stranger, sends no gigabyte for a 403.

Under ASGI Django stores a body before it asks anything. Here it is asked first, by all that asks later as well, the
middleware, the view and its services: they run as if the body were there, up to where they would read it.
"""

import functools
import io
from collections.abc import MutableMapping
from typing import Any, NoReturn

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.base import BaseHandler
from django.db import connection
from django.http import HttpResponseBadRequest
from django.http.response import HttpResponseBase

from api.base.throttling import COUNTED
from config.body_limit import Refusal

SET_BY_THE_SERVER = frozenset({"content-length", "connection"})


class BodyWanted(BaseException):
    """Nothing speaks against the request, and the body is read next. No error: whoever handles those lets it pass."""


class _NotSent(io.BytesIO):
    """A body that is not there yet."""

    def read(self, size: int | None = -1, /) -> NoReturn:
        """Tell that it is wanted."""
        raise BodyWanted

    def readline(self, size: int | None = -1, /) -> NoReturn:
        """Likewise."""
        raise BodyWanted


async def refusal(scope: MutableMapping[str, Any]) -> Refusal | None:
    """Like `refusal_of`, in a thread of the request's own."""
    async with ThreadSensitiveContext():
        return await sync_to_async(refusal_of)(scope)


def refusal_of(scope: MutableMapping[str, Any]) -> Refusal | None:
    """Return the error or redirect that the ASGI request gets whatever its body; None where its body is wanted.

    It counts against the rate limit here, and is marked so that it counts once.
    """
    try:
        answer: HttpResponseBase = _handler().get_response(ASGIRequest(scope, _NotSent()))
    except BodyWanted:
        return None
    except UnicodeDecodeError:  # an address or header that is no text
        answer = HttpResponseBadRequest()
    finally:
        scope[COUNTED] = True
        if not connection.in_atomic_block:
            connection.close()
    if 200 <= answer.status_code < 300:
        return None  # a success is told when all is sent: not every client listens before
    headers = [(name.lower(), value) for name, value in answer.items() if name.lower() not in SET_BY_THE_SERVER]
    headers += [("set-cookie", cookie.OutputString()) for cookie in answer.cookies.values()]
    body: bytes = answer.content  # type: ignore[attr-defined]
    return Refusal(answer.status_code, [(name.encode(), value.encode("latin-1")) for name, value in headers], body)


@functools.cache
def _handler() -> BaseHandler:
    handler = BaseHandler()
    handler.load_middleware()
    return handler
