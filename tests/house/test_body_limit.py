"""Long bodies are refused before anybody stores them; those that are not hold places, and none for ever."""

import asyncio
import io
import json
from typing import Any

import pytest

from config import body_limit
from config.body_limit import BodyLimit, Refusal
from config.body_places import NoPlace, Places
from config.upload_threads import UploadThreads
from tests.kit.patience import PATIENCE

UPLOAD = "/api/v1/tenants/shop/streams/01/partitions"
SAMPLE = "/api/v1/tenants/shop/streams/infer"


NOBODY = Refusal(401, [(b"www-authenticate", b"Bearer")], b"signed out")


async def refuse(scope: Any) -> Refusal | None:
    """Take every credential for one of the tenant's."""
    return None if {b"authorization", b"cookie"} & {name for name, _ in scope["headers"]} else NOBODY


def request(path: str, method: str = "POST", **headers: str) -> dict[str, Any]:
    """Return an ASGI scope."""
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": method, "path": path, "headers": pairs}


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

    limit = BodyLimit(application, most=10, most_upload=20, refuse=refuse)
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
        (UPLOAD, [10, 10], {}, (401, 0)),
        (UPLOAD, [10], {"content_length": "10"}, (200, 10)),
        (UPLOAD, [11], {"content_length": "11"}, (401, 0)),
        (UPLOAD, [21], {"content_length": "21", "cookie": "exfm_session=x"}, (413, 0)),
        (SAMPLE, [1 << 24], {"cookie": "exfm_session=x"}, (200, 1 << 24)),
        (SAMPLE, [1 << 24, 1], {"cookie": "exfm_session=x"}, (413, 1 << 24)),
        (SAMPLE, [11], {}, (401, 0)),
        ("/x" + UPLOAD, [11], {"cookie": "a=b"}, (413, 0)),
    ],
)
def test_bodies_are_bounded(path: str, sizes: list[int], headers: dict[str, str], expected: tuple[int, int]) -> None:
    assert send(path, [b"x" * size for size in sizes], **headers) == expected


class Upload:
    """A body of 20 bytes in two pieces, the second of which waits for `go_on`; `statuses` is what was answered."""

    def __init__(self, limit: BodyLimit, tenant: str = "shop", **headers: str) -> None:
        self.go_on = asyncio.Event()
        self.statuses: list[int] = []
        self.said = b""
        self._pieces = 0
        scope = request(UPLOAD.replace("shop", tenant), **headers)
        self.task = asyncio.ensure_future(limit(scope, self._receive, self._answer))

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
    async def run() -> None:
        limit = BodyLimit(take_in, most=10, most_upload=20, refuse=refuse, places=Places(3, 2))
        shop = [Upload(limit, authorization="x", **announced) for _ in range(3)]
        await a_moment()
        assert [upload.statuses for upload in shop] == [[], [], [503]]
        assert shop[2].headers[b"retry-after"] == b"10"
        assert json.loads(shop[2].said)["code"] == "uploads_busy"
        others = [Upload(limit, "other", authorization="x", **announced) for _ in range(2)]
        await a_moment()
        assert [upload.statuses for upload in others] == [[], [503]]
        for upload in (shop[0], others[0]):
            upload.go_on.set()
            await upload.task
            assert upload.statuses == [202]
        shop[1].task.cancel()  # a client that went away
        await a_moment()
        again = [Upload(limit, authorization="x", **announced) for _ in range(2)]
        await a_moment()
        assert [upload.statuses for upload in again] == [[], []]
        for upload in again:
            upload.task.cancel()

    asyncio.run(run())


def test_short_bodies_take_no_place() -> None:
    async def run() -> None:
        limit = BodyLimit(take_in, most=20, most_upload=30, refuse=refuse, places=Places(0, 0))
        upload = Upload(limit, cookie="x", content_length="20")
        upload.go_on.set()
        await upload.task
        assert upload.statuses == [202]

    asyncio.run(run())


def test_a_body_that_trickles_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_limit, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(body_limit, "SLOWEST", 100)

    async def run() -> None:
        upload = Upload(BodyLimit(take_in, most=10, most_upload=20, refuse=refuse), cookie="x")
        began = asyncio.get_running_loop().time()
        await asyncio.wait_for(upload.task, PATIENCE)
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

        limit = BodyLimit(listens, most=10, most_upload=20, refuse=refuse)
        await limit(request("/events"), receive, lambda _: None)  # type: ignore[arg-type, return-value]

    asyncio.run(run())
    assert gone == ["late", "http.disconnect"]


@pytest.mark.parametrize("announced", [{}, {"content_length": "20"}], ids=["chunked", "announced"])
def test_who_is_refused_takes_no_place_and_is_told_before_the_body_comes(announced: dict[str, str]) -> None:
    async def run() -> None:
        limit = BodyLimit(take_in, most=10, most_upload=20, refuse=refuse, places=Places(1, 1))
        refused = [Upload(limit, **announced) for _ in range(3)]
        await a_moment()
        admitted = Upload(limit, cookie="x", **announced)
        await a_moment()
        assert [upload.statuses for upload in refused] == [[401]] * 3
        for upload in refused:
            assert (upload.said, upload.headers[b"connection"]) == (b"signed out", b"close")
            assert upload.headers[b"www-authenticate"] == b"Bearer"
        assert admitted.statuses == []
        for upload in (*refused, admitted):
            upload.go_on.set()
            await upload.task
        assert admitted.statuses == [202]

    asyncio.run(run())


@pytest.mark.parametrize("end", ["time", "bytes", "whole", "gone"])
def test_after_a_refusal_the_rest_is_taken_in_for_a_moment(monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    """Until the client has sent all or is gone, and else no longer, and no more, than was set."""
    monkeypatch.setattr(body_limit, "LINGER_SECONDS", 0.05 if end == "time" else 3600)
    monkeypatch.setattr(body_limit, "LINGER_BYTES", 25 if end == "bytes" else 1 << 40)
    taken = []

    async def receive() -> Any:
        if len(taken) == 5:
            if end == "time":
                await asyncio.Event().wait()
            if end == "gone":
                return {"type": "http.disconnect"}
        taken.append(10)
        more = end != "whole" or len(taken) < 5
        return {"type": "http.request", "body": b"x" * 10, "more_body": more}

    sent: list[Any] = []

    async def answer(message: Any) -> None:
        assert not taken, "the answer comes first"
        sent.append(message)

    limit = BodyLimit(take_in, most=10, most_upload=20, refuse=refuse)
    asyncio.run(asyncio.wait_for(limit(request(UPLOAD), receive, answer), PATIENCE))
    assert sent[0]["status"] == 401
    assert len(taken) == (3 if end == "bytes" else 5)


def test_only_what_is_sent_to_such_an_address_is_asked_about() -> None:
    async def nobody(scope: Any) -> Refusal | None:
        raise AssertionError(scope)

    async def run(scope: dict[str, Any]) -> int:
        statuses = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def answer(message: Any) -> None:
            statuses.append(message.get("status"))

        await BodyLimit(take_in, most=10, most_upload=20, refuse=nobody)(scope, receive, answer)
        return int(statuses[0])

    for scope in (request(UPLOAD, "GET"), request("/api/v1/session"), request(UPLOAD, content_length="10")):
        assert asyncio.run(run(scope)) == 202


class Threads:
    """An application behind `UploadThreads`: it reads the body, and meanwhile another request comes."""

    def __init__(self, most: int) -> None:
        self.answered: list[tuple[str, bool]] = []
        self._limit = UploadThreads(self._application, most=most, beyond=10)
        self._others: list[dict[str, Any]] = []

    def serve(self, *requests: dict[str, Any]) -> list[tuple[str, bool]]:
        """Serve them, each while the one before is read; return status and whether the connection ends, in order."""
        self.answered, self._others = [], list(requests)
        self._next()
        return self.answered[::-1]

    def _next(self) -> None:
        if self._others:
            one = self._others.pop(0)
            list(self._limit({**one, "wsgi.input": io.BytesIO(b"x" * int(one["CONTENT_LENGTH"] or 0))}, self._start))

    def _start(self, status: str, headers: list[tuple[str, str]]) -> None:
        self.answered.append((status[:3], ("Connection", "close") in headers))

    def _application(self, environ: Any, start_response: Any) -> list[bytes]:
        body, status = environ["wsgi.input"], "200 OK"
        try:
            if "refused" in environ:
                status = "403 Forbidden"
            else:
                body.read(1)
        except NoPlace:
            status = "503 Service Unavailable"
        self._next()
        if status == "200 OK":
            body.read()
        start_response(status, [])
        return [b""]


def posted(path: str, length: str = "11", **more: Any) -> dict[str, Any]:
    return {"PATH_INFO": path, "CONTENT_LENGTH": length, **more}


@pytest.mark.parametrize(
    ("path", "length", "second"),
    [
        (UPLOAD, "11", ("503", True)),
        (SAMPLE, "11", ("503", True)),
        (UPLOAD, "10", ("200", False)),
        (UPLOAD, "", ("200", False)),
        ("/api/v1/session", "11", ("200", False)),
    ],
)
def test_some_threads_wait_for_long_bodies_and_the_rest_do_not(
    path: str, length: str, second: tuple[str, bool]
) -> None:
    threads = Threads(most=1)
    for _ in range(2):
        assert threads.serve(posted(path, length), posted(path, length)) == [("200", False), second]


def test_a_tenant_has_a_quarter_of_the_threads_and_the_others_the_rest() -> None:
    paths = [UPLOAD.replace("shop", name) for name in ("shop", "shop", "other", "third")]
    statuses = [status for status, _ in Threads(most=2).serve(*(posted(path) for path in paths))]
    assert statuses == ["200", "503", "200", "503"], "one at least, and no more than there are"
    eight = [posted(UPLOAD)] * 3 + [posted(SAMPLE.replace("shop", "other"))] * 3
    assert [status for status, _ in Threads(most=8).serve(*eight)] == ["200", "200", "503"] * 2


def test_who_is_refused_holds_no_thread_from_who_is_not() -> None:
    refused = posted(UPLOAD, refused=True)
    assert Threads(most=1).serve(refused, refused, posted(UPLOAD)) == [("403", True), ("403", True), ("200", False)]
