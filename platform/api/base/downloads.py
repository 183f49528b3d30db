"""Answers that are files: sent in pieces, by synchronous and asynchronous servers alike."""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from typing import IO, Final

import structlog
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

from api.base.ranges import Span, wanted
from tenancy.errors import DomainError

log = structlog.get_logger("exfm.request")

PIECE = 1 << 18
LOOK_SECONDS: Final = 15.0
LOOK_BYTES: Final = 64 << 20
"""After which time, and after how much, it is looked again whether whoever downloads still may."""


class Watched:
    """A file that ends early, before its length, once `check` raises `DomainError`: who asked may have it no more."""

    def __init__(self, file: IO[bytes], check: Callable[[], object]) -> None:
        self._file = file
        self._check = check
        self._looked, self._since = time.monotonic(), 0

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most so many; none at the end, and from when they are refused."""
        if self._since >= LOOK_BYTES or time.monotonic() - self._looked >= LOOK_SECONDS:
            try:
                self._check()
            except DomainError as error:
                log.warning("download ended", code=error.code)
                return b""
            self._looked, self._since = time.monotonic(), 0
        piece = self._file.read(size)
        self._since += len(piece)
        return piece

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def download(
    request: HttpRequest, file: IO[bytes], *, name: str, content_type: str, check: Callable[[], object]
) -> StreamingHttpResponse:
    """Return the whole file as a download and close it at the end; under ASGI Django would else read it whole.

    `check` raises `DomainError` from when the caller may not have it any more (see `Watched`).
    """
    size = file.seek(0, 2)
    file.seek(0)
    return _sent(request, Watched(file, check), size, name=name, content_type=content_type)


def resumable(
    request: HttpRequest, file: IO[bytes], *, name: str, content_type: str, etag: str, check: Callable[[], object]
) -> StreamingHttpResponse:
    """Return the file, or the part of it that `Range` asks for; `etag` names its content, in quotes.

    It may take hours: `check` raises `DomainError` from when the caller may not have it any more (see `Watched`).
    """
    size = file.seek(0, 2)
    try:
        part = wanted(request, size=size, etag=etag)
    except DomainError:
        file.close()
        raise
    sent = part or Span(0, size)
    file.seek(sent.start)
    answer = _sent(request, Watched(file, check), sent.end - sent.start, name=name, content_type=content_type)
    answer["Accept-Ranges"], answer["ETag"] = "bytes", etag
    if part is not None:
        answer.status_code = 206
        answer["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{size}"
    return answer


def _sent(request: HttpRequest, file: Watched, length: int, *, name: str, content_type: str) -> StreamingHttpResponse:
    pieces = _asynchronous(file, length) if isinstance(request, ASGIRequest) else _synchronous(file, length)
    headers = {
        "Content-Length": str(length),
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
    return StreamingHttpResponse(pieces, content_type=content_type, headers=headers)


def _synchronous(file: Watched, left: int) -> Iterator[bytes]:
    with closing(file):
        while piece := file.read(min(PIECE, left)):
            left -= len(piece)
            yield piece


async def _asynchronous(file: Watched, left: int) -> AsyncIterator[bytes]:
    with closing(file):
        while piece := await sync_to_async(file.read)(min(PIECE, left)):
            left -= len(piece)
            yield piece
