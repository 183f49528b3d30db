"""Bounds request bodies before Django sees them: under ASGI it stores a body whole before it asks who sent it."""

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[..., Awaitable[None]]

UPLOADS = re.compile(r"/api/v1/tenants/[^/]+/streams/[^/]+/partitions/?\Z")
SAMPLES = re.compile(r"/api/v1/tenants/[^/]+/streams/infer/?\Z")
SAMPLE_BYTES = 16 << 20
"""The most that a file may have from whose first rows a schema is proposed."""
CREDENTIALS = {b"authorization", b"cookie"}
Knows = Callable[[Scope], Awaitable[bool]]


async def shows_credential(scope: Scope) -> bool:
    """Tell whether the request carries anything that could be a credential."""
    return any(name.lower() in CREDENTIALS for name, _ in scope["headers"])


class BodyLimit:
    """An ASGI application that refuses long bodies (413): `most` bytes, `most_upload` for a partition, 16 MiB for a
    sample of rows.

    Who shows no credential sends no partition, hence nothing long. `knows` says whether a credential is a real one; it
    is asked before the body is read.
    """

    def __init__(
        self, application: Application, *, most: int, most_upload: int, knows: Knows = shows_credential
    ) -> None:
        self._application = application
        self._knows = knows
        self._most = most
        self._most_upload = most_upload

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        most = await self._limit(scope)
        if _declared(scope) > most:
            await _refuse(send, most)
            return
        seen, answered = 0, False

        async def counted() -> Message:
            nonlocal seen
            if seen > most:
                return {"type": "http.disconnect"}
            message = await receive()
            seen += len(message.get("body", b""))
            return message if seen <= most else {"type": "http.disconnect"}

        async def watched(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        await self._application(scope, counted, watched)
        if seen > most and not answered:
            await _refuse(send, most)

    async def _limit(self, scope: Scope) -> int:
        most = self._most
        if UPLOADS.match(scope["path"]):
            most = self._most_upload
        elif SAMPLES.match(scope["path"]):
            most = SAMPLE_BYTES
        known = most == self._most or (await shows_credential(scope) and await self._knows(scope))
        return most if known else self._most


def _declared(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name.lower() == b"content-length" and value.isdigit():
            return int(value)
    return 0


async def _refuse(send: Send, most: int) -> None:
    body = {
        "type": "urn:exfm:problem:body_too_large",
        "title": "Content Too Large",
        "status": 413,
        "code": "body_too_large",
        "detail": "The body is too large.",
        "mend": f"Send at most {most:,} bytes here.",
        "request_id": "",
    }
    headers = [(b"content-type", b"application/problem+json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})
