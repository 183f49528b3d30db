"""Bounds request bodies before Django sees them: under ASGI it stores a body whole before it asks who sent it.

Bounded are their length, how many long ones a process receives at a time, and how long one may take. Whether a long
one is wanted at all is asked before it is read.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import ExitStack, suppress
from typing import Any, Final, NamedTuple

from config.body_places import Places

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[..., Awaitable[None]]

UPLOADS = re.compile(r"/api/v1/tenants/([^/]+)/streams/[^/]+/partitions/?\Z")
SAMPLES = re.compile(r"/api/v1/tenants/([^/]+)/streams/infer/?\Z")
"""What may be long, with the tenant's slug."""
SAMPLE_BYTES = 16 << 20
"""The most that a file may have from whose first rows a schema is proposed."""
PATIENCE_SECONDS: Final = 60.0
SLOWEST: Final = 16 << 10
"""Bytes a second: a body may take a minute, and as long beyond that as it would take at this rate."""
RETRY_SECONDS: Final = 10
LINGER_SECONDS: Final = 2.0
LINGER_BYTES: Final = 16 << 20
"""How long, and for how much, the rest of a refused body is taken in and forgotten after the answer: a connection that
is closed on a client in the middle of sending may take the answer with it."""


class Refusal(NamedTuple):
    """An answer to whoever has not sent the body yet, and need not."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


Refuse = Callable[[Scope], Awaitable[Refusal | None]]


class Problem(NamedTuple):
    """An answer in place of Django's."""

    status: int
    code: str
    title: str
    detail: str
    mend: str

    def refusal(self) -> Refusal:
        """Return it as it is sent."""
        kind = {"type": f"urn:exfm:problem:{self.code}", "request_id": ""}
        headers = [(b"content-type", b"application/problem+json")]
        if self.status == 503:
            headers.append((b"retry-after", str(RETRY_SECONDS).encode()))
        return Refusal(self.status, headers, json.dumps({**self._asdict(), **kind}).encode())


BUSY: Final = Problem(
    503,
    "uploads_busy",
    "Service Unavailable",
    "As many long bodies as this process, or your tenant, may send at a time are under way.",
    f"Send it again in {RETRY_SECONDS} seconds, as Retry-After says; fewer at a time go through at once.",
)
SLOW: Final = Problem(
    408,
    "body_too_slow",
    "Request Timeout",
    "The body came too slowly.",
    f"Send it at {SLOWEST >> 10} KiB a second or more, in smaller partitions if need be.",
)


def too_large(most: int) -> Problem:
    """Return the refusal of a body of more than that many bytes."""
    return Problem(
        413, "body_too_large", "Content Too Large", "The body is too large.", f"Send at most {most:,} bytes here."
    )


class BodyLimit:
    """An ASGI application that refuses long bodies (413): `most` bytes, `most_upload` for a partition, 16 MiB for a
    sample of rows; that receives no more of them at a time than there are `places` (503); and none for ever (408).

    `refuse` returns the answer to a request for a longer body than `most`, None where that is wanted. It is asked
    before the body is read; the tenant in the path is from then on one that the sender may send to.
    """

    def __init__(
        self, application: Application, *, most: int, most_upload: int, refuse: Refuse, places: Places | None = None
    ) -> None:
        self._application = application
        self._most = most
        self._most_upload = most_upload
        self._refuse = refuse
        self._places = places or Places(32)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        declared = _declared(scope)
        most, tenant = self._limit(scope, declared)
        if tenant is not None and (refusal := await self._refuse(scope)) is not None:
            await _answer(refusal, send, receive)
            return
        if declared is not None and declared > most:
            await _answer(too_large(most).refusal(), send, receive)
            return
        with ExitStack() as held:
            if tenant is not None:
                if not self._places.take(tenant):
                    await _answer(BUSY.refusal(), send, receive)
                    return
                held.callback(self._places.give_back, tenant)
            body = _Body(receive, most)
            answered = False

            async def watched(message: Message) -> None:
                nonlocal answered
                answered = True
                await send(message)

            await self._application(scope, body.receive, watched)
        if body.refusal is not None and not answered:
            await _answer(body.refusal.refusal(), send, None if body.is_over else receive)

    def _limit(self, scope: Scope, declared: int | None) -> tuple[int, str | None]:
        """Return the most bytes, and the slug of the tenant in the path where those are more than anybody may send."""
        if scope["method"] == "POST" and (declared is None or declared > self._most):
            if found := UPLOADS.match(scope["path"]):
                return self._most_upload, found[1]
            if found := SAMPLES.match(scope["path"]):
                return SAMPLE_BYTES, found[1]
        return self._most, None


class _Body:
    """A body under way: ends as a lost connection where it is too long or too slow, which `refusal` then says."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive = receive
        self._most = most
        self._seen = 0
        self._whole = False
        self._began = asyncio.get_running_loop().time()
        self.refusal: Problem | None = None

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more of it is to be taken in: it is whole, or would take too long."""
        return self._whole or self.refusal is SLOW

    async def receive(self) -> Message:
        """Return the next message."""
        if self.refusal is not None:
            return {"type": "http.disconnect"}
        if self._whole:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._began + PATIENCE_SECONDS + self._seen / SLOWEST):
                message = await self._receive()
        except TimeoutError:
            self.refusal = SLOW
            return {"type": "http.disconnect"}
        self._seen += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        if self._seen > self._most:
            self.refusal = too_large(self._most)
            return {"type": "http.disconnect"}
        return message


def _declared(scope: Scope) -> int | None:
    """Return the length that the request announces; None where it announces none and may have a body."""
    for name, value in scope["headers"]:
        if name.lower() == b"content-length" and value.isdigit():
            return int(value)
    return None


async def _answer(refusal: Refusal, send: Send, receive: Receive | None) -> None:
    """Send it; the rest of the body comes from `receive`, None where there is none."""
    headers = [*refusal.headers, (b"content-length", str(len(refusal.body)).encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": refusal.body})
    if receive is not None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                await _forget(receive)


async def _forget(receive: Receive) -> None:
    left, more = LINGER_BYTES, True
    while left > 0 and more:
        message = await receive()
        left, more = left - len(message.get("body", b"")), message.get("more_body", False)
