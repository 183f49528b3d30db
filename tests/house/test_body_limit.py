"""Long bodies are refused before anybody stores them; those that are not hold places, and none for ever."""

import asyncio
import json
from typing import Any

import pytest

from config import body_limit
from config.body_limit import BodyLimit
from config.body_places import Places
from config.upload_threads import UploadThreads

UPLOAD = "/api/v1/tenants/shop/streams/01/partitions"
SAMPLE = "/api/v1/tenants/shop/streams/infer"


async def whose(scope: Any) -> str | None:
    """Take every credential for one of the tenant's."""
    return "shop" if {b"authorization", b"cookie"} & {name for name, _ in scope["headers"]} else None


def request(path: str, **headers: str) -> dict[str, Any]:
    """Return the ASGI scope of a POST."""
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": "POST", "path": path, "headers": pairs}


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

    limit = BodyLimit(application, most=10, most_upload=20, whose=whose)
    asyncio.run(limit(request(path, **headers), receive, answer))
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


class Upload:
    """A body of 20 bytes in two pieces, the second of which waits for `go_on`; `statuses` is what was answered."""

    def __init__(self, limit: BodyLimit, **headers: str) -> None:
        self.go_on = asyncio.Event()
        self.statuses: list[int] = []
        self.said = b""
        self._pieces = 0
        self.task = asyncio.ensure_future(limit(request(UPLOAD, **headers), self._receive, self._answer))

    async def _receive(self) -> Any:
        self._pieces += 1
        if self._pieces == 2:
            await self.go_on.wait()
        return {"type": "http.request", "body": b"x" * 10, "more_body": self._pieces == 1}

    async def _answer(self, message: Any) -> None:
        if "status" in message:
            self.statuses.append(message["status"])
            self.headers = dict(message["headers"])
        self.said += message.get("body", b"")


async def take_in(scope: Any, receive: Any, answer: Any) -> None:
    """Read the body and answer, as Django does; leave without an answer where the client is gone."""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        more = message["more_body"]
    await answer({"type": "http.response.start", "status": 202, "headers": []})


async def a_moment() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.parametrize("announced", [{}, {"content_length": "20"}], ids=["chunked", "announced"])
def test_a_tenant_takes_no_more_places_than_its_part_and_all_no_more_than_there_are(announced: dict[str, str]) -> None:
    async def by_name(scope: Any) -> str | None:
        return str(dict(scope["headers"])[b"authorization"])

    async def run() -> None:
        limit = BodyLimit(take_in, most=10, most_upload=20, whose=by_name, places=Places(3, 2))
        shop = [Upload(limit, authorization="shop", **announced) for _ in range(3)]
        await a_moment()
        assert [upload.statuses for upload in shop] == [[], [], [503]]
        assert shop[2].headers[b"retry-after"] == b"10"
        assert json.loads(shop[2].said)["code"] == "uploads_busy"
        others = [Upload(limit, authorization="other", **announced) for _ in range(2)]
        await a_moment()
        assert [upload.statuses for upload in others] == [[], [503]]
        for upload in (shop[0], others[0]):
            upload.go_on.set()
            await upload.task
            assert upload.statuses == [202]
        shop[1].task.cancel()  # a client that went away
        await a_moment()
        again = [Upload(limit, authorization="shop", **announced) for _ in range(2)]
        await a_moment()
        assert [upload.statuses for upload in again] == [[], []]
        for upload in again:
            upload.task.cancel()

    asyncio.run(run())


def test_short_bodies_take_no_place() -> None:
    async def run() -> None:
        limit = BodyLimit(take_in, most=20, most_upload=30, whose=whose, places=Places(0, 0))
        upload = Upload(limit, cookie="x", content_length="20")
        upload.go_on.set()
        await upload.task
        assert upload.statuses == [202]

    asyncio.run(run())


def test_a_body_that_trickles_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_limit, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(body_limit, "SLOWEST", 100)

    async def run() -> None:
        upload = Upload(BodyLimit(take_in, most=10, most_upload=20, whose=whose), cookie="x")
        began = asyncio.get_running_loop().time()
        await asyncio.wait_for(upload.task, 5)
        assert upload.statuses == [408]
        assert json.loads(upload.said)["code"] == "body_too_slow"
        assert asyncio.get_running_loop().time() - began >= 0.15  # ten bytes came, a tenth of a second's

    asyncio.run(run())


def test_who_waits_for_an_answer_after_the_body_waits_as_long_as_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """An event stream listens for the client's end for hours."""
    monkeypatch.setattr(body_limit, "PATIENCE_SECONDS", 0.01)
    gone = []

    async def listens(scope: Any, receive: Any, answer: Any) -> None:
        assert (await receive())["more_body"] is False
        gone.append((await receive())["type"])

    async def run() -> None:
        messages = [{"type": "http.request", "body": b"", "more_body": False}, {"type": "http.disconnect"}]

        async def receive() -> Any:
            if len(messages) == 1:
                await asyncio.sleep(0.1)
                gone.append("late")
            return messages.pop(0)

        limit = BodyLimit(listens, most=10, most_upload=20, whose=whose)
        await limit(request("/events"), receive, lambda _: None)  # type: ignore[arg-type, return-value]

    asyncio.run(run())
    assert gone == ["late", "http.disconnect"]


@pytest.mark.parametrize(
    ("path", "length", "statuses"),
    [
        (UPLOAD, "11", [200, 503]),
        (SAMPLE, "11", [200, 503]),
        (UPLOAD, "10", [200, 200]),
        (UPLOAD, "", [200, 200]),
        ("/api/v1/session", "11", [200, 200]),
    ],
)
def test_some_threads_wait_for_long_bodies_and_the_rest_do_not(path: str, length: str, statuses: list[int]) -> None:
    environ = {"PATH_INFO": path, "CONTENT_LENGTH": length}
    answered: list[int] = []

    def start(status: str, headers: list[tuple[str, str]]) -> None:
        answered.append(int(status[:3]))
        assert status[:3] == "200" or dict(headers)["Retry-After"] == "10"

    def application(_: Any, start_response: Any) -> list[bytes]:
        if len(inside) == 1:  # while this one is read, another comes
            inside.append(True)
            threads(environ, start)
        start_response("200 OK", [])
        return [b""]

    threads, inside = UploadThreads(application, most=1, beyond=10), [True]
    threads(environ, start)
    assert sorted(answered) == statuses
    threads(environ, start)
    assert answered[-1] == 200
