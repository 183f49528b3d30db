"""Answers that are files: sent in pieces, by synchronous and asynchronous servers alike."""

from collections.abc import AsyncIterator, Iterator
from typing import IO

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

PIECE = 1 << 18


def download(request: HttpRequest, file: IO[bytes], *, name: str, content_type: str) -> StreamingHttpResponse:
    """Return the whole file as a download and close it at the end; under ASGI Django would else read it whole."""
    size = file.seek(0, 2)
    file.seek(0)
    pieces = _asynchronous(file) if isinstance(request, ASGIRequest) else _synchronous(file)
    headers = {
        "Content-Length": str(size),
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
    return StreamingHttpResponse(pieces, content_type=content_type, headers=headers)


def _synchronous(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE):
            yield piece


async def _asynchronous(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        while piece := await sync_to_async(file.read)(PIECE):
            yield piece
