"""Bounds request bodies before Django sees them: under ASGI it stores a body whole before it asks who sent it.

Bounded are their length, how many long ones a process receives at a time, and how long one may take.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import ExitStack
from typing import Any, Final, NamedTuple

from config.body_places import Places

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[..., Awaitable[None]]

UPLOADS = re.compile(r"/api/v1/tenants/[^/]+/streams/[^/]+/partitions/?\Z")
SAMPLES = re.compile(r"/api/v1/tenants/[^/]+/streams/infer/?\Z")
SAMPLE_BYTES = 16 << 20
"""The most that a file may have from whose first rows a schema is proposed."""
PATIENCE_SECONDS: Final = 60.0
SLOWEST: Final = 16 << 10
"""Bytes a second: a body may take a minute, and as long beyond that as it would take at this rate."""
RETRY_SECONDS: Final = 10

Whose = Callable[[Scope], Awaitable[str | None]]


class Problem(NamedTuple):
    """An answer in place of Django's."""

    status: int
    code: str
    title: str
    detail: str
    mend: str

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Return its headers; the rest of the body is not wanted."""
        said = [("Content-Type", "application/problem+json"), ("Connection", "close")]
        return [*said, ("Retry-After", str(RETRY_SECONDS))] if self.status == 503 else said

    def body(self) -> bytes:
        """Return it as JSON."""
        kind = {"type": f"urn:exfm:problem:{self.code}", "request_id": ""}
        return json.dumps({**self._asdict(), **kind}).encode()


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

    `whose` names the tenant of the path if the credential is one of its members'; it is asked before the body is read.
    Who shows none sends no partition, hence nothing long.
    """

    def __init__(
        self, application: Application, *, most: int, most_upload: int, whose: Whose, places: Places | None = None
    ) -> None:
        self._application = application
        self._most = most
        self._most_upload = most_upload
        self._whose = whose
        self._places = places or Places(32)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        most, tenant = await self._limit(scope)
        declared = _declared(scope)
        if declared is not None and declared > most:
            await _refuse(send, too_large(most))
            return
        with ExitStack() as held:
            if tenant is not None and (declared is None or declared > self._most):
                if not self._places.take(tenant):
                    await _refuse(send, BUSY)
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
                await _refuse(send, body.refusal)

    async def _limit(self, scope: Scope) -> tuple[int, str | None]:
        """Return the most bytes, and the tenant that sends them where they are more than anybody may."""
        most = self._most
        if scope["method"] == "POST" and UPLOADS.match(scope["path"]):
            most = self._most_upload
        elif scope["method"] == "POST" and SAMPLES.match(scope["path"]):
            most = SAMPLE_BYTES
        tenant = await self._whose(scope) if most > self._most else None
        return (self._most if tenant is None else most), tenant


class _Body:
    """A body under way: ends as a lost connection where it is too long or too slow, which `refusal` then says."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive = receive
        self._most = most
        self._seen = 0
        self._whole = False
        self._began = asyncio.get_running_loop().time()
        self.refusal: Problem | None = None

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


async def _refuse(send: Send, problem: Problem) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in problem.headers]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": problem.body()})
