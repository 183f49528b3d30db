"""Long bodies are refused before anybody stores them."""

import asyncio
import json
from typing import Any

import pytest

from config.body_limit import BodyLimit

UPLOAD = "/api/v1/tenants/shop/streams/01/partitions"
SAMPLE = "/api/v1/tenants/shop/streams/infer"


def send(path: str, pieces: list[bytes], **headers: str) -> tuple[int, int]:
    """Return the answer's status and how many bytes the application behind the limit got to see."""
    seen, sent = 0, []

    async def application(scope: Any, receive: Any, answer: Any) -> None:
        nonlocal seen
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            seen += len(message["body"])
            if not message["more_body"]:
                break
        await answer({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Any:
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def answer(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "path": path,
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    asyncio.run(BodyLimit(application, most=10, most_upload=20)(scope, receive, answer))
    if sent[0]["status"] == 413:
        assert json.loads(sent[1]["body"])["code"] == "body_too_large"
    return sent[0]["status"], seen


@pytest.mark.parametrize(
    ("path", "sizes", "headers", "expected"),
    [
        ("/api/v1/session", [5, 5], {}, (200, 10)),
        ("/api/v1/session", [5, 6, 5], {}, (413, 5)),
        ("/healthz", [11], {"content_length": "11"}, (413, 0)),
        (UPLOAD, [10, 10], {"cookie": "exfm_session=x"}, (200, 20)),
        (UPLOAD, [10, 11], {"authorization": "Bearer x"}, (413, 10)),
        (UPLOAD, [10, 10], {}, (413, 10)),
        (SAMPLE, [1 << 24], {"cookie": "exfm_session=x"}, (200, 1 << 24)),
        (SAMPLE, [1 << 24, 1], {"cookie": "exfm_session=x"}, (413, 1 << 24)),
        (SAMPLE, [11], {}, (413, 0)),
        ("/x" + UPLOAD, [11], {"cookie": "a=b"}, (413, 0)),
    ],
)
def test_bodies_are_bounded(path: str, sizes: list[int], headers: dict[str, str], expected: tuple[int, int]) -> None:
    assert send(path, [b"x" * size for size in sizes], **headers) == expected
