"""What is repeated and what is not; pages, problems, versions, events and uploads over real sockets."""

import hashlib
import time
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path
from types import SimpleNamespace

import pytest

from exfm_client import Client, errors, transport
from exfm_client.transport import Transport
from exfm_client.uploads import Upload
from tests.client.server import Answer, events, hang_up, say, scripted
from tests.kit.patience import PATIENCE
from tests.kit.ports import free_port_pair

ID = "01a1fc0b-8f4e-72f1-9d2c-3f5a7c1e0b42"
PROBLEM = {
    "status": 422,
    "code": "bad_spec",
    "detail": "The spec has no model.",
    "mend": "Add one.",
    "request_id": "r1",
    "errors": [{"field": "spec.model", "code": "required", "message": "This field is required."}],
}


def client(url: str, patience: float = 10) -> Client:
    """Return a client of the tenant `acme`."""
    return Client(url, "exfm_x", tenant="acme", patience=patience)


def test_pages_are_fetched_as_they_are_needed() -> None:
    first = say(
        200, {"results": [{"id": "1"}, {"id": "2"}], "next": "/api/v1/tenants/acme/streams?cursor=abc%3D&limit=2"}
    )
    with scripted(first, say(200, {"results": [{"id": "3"}], "next": None})) as there, client(there.url) as exfm:
        rows = exfm.streams.list()
        assert next(rows)["id"] == "1"
        assert len(there.asked) == 1
        assert [row["id"] for row in rows] == ["2", "3"]
        assert there.asked[1].path == "/api/v1/tenants/acme/streams?cursor=abc%3D&limit=2"
        assert there.asked[0].headers["authorization"] == "Bearer exfm_x"


@pytest.mark.parametrize(
    "broken", [hang_up, say(503, {}, Retry_After="0"), say(502, {}), say(429, {}, Retry_After="0")]
)
def test_a_create_is_repeated_under_one_key(broken: Answer) -> None:
    with scripted(broken, broken, say(201, {"id": ID})) as there, client(there.url) as exfm:
        assert exfm.streams.create({"name": "x"})["id"] == ID
        keys = {asked.headers["idempotency-key"] for asked in there.asked}
        assert (len(there.asked), len(keys)) == (3, 1)
        exfm.streams.create({"name": "x"})
        assert there.asked[-1].headers["idempotency-key"] not in keys
        exfm.streams.create({"name": "x"}, key="mine")
        assert there.asked[-1].headers["idempotency-key"] == "mine"


@pytest.mark.parametrize("broken", [hang_up, say(502, {})])
def test_an_action_without_a_key_is_not_repeated(broken: Answer) -> None:
    with scripted(broken, say(200, {})) as there, client(there.url) as exfm:
        with pytest.raises((errors.Unreachable, errors.ServerProblem)):
            exfm.runs.retry(ID)
        assert len(there.asked) == 1


def test_but_after_a_rate_limit_any_request_is_as_nothing_was_done() -> None:
    with scripted(say(429, {}, Retry_After="0"), say(202, {"id": ID})) as there, client(there.url) as exfm:
        assert exfm.runs.stop(ID)["id"] == ID


@pytest.mark.parametrize("date", [False, True])
def test_retry_after_is_kept(date: bool) -> None:
    named = int(time.time()) + 2
    wait = formatdate(named, usegmt=True) if date else "1"
    refusal, answer = say(429, {}, Retry_After=wait), say(200, {"results": [], "next": None})
    with scripted(refusal, answer) as there, client(there.url, patience=PATIENCE) as exfm:
        assert list(exfm.models.list()) == []
        first, second = there.asked
        assert second.at >= (named if date else first.at + 1)


def test_patience_ends_with_the_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a clock that only pauses move: a quarter of a second, then half a one, and the next would be too much."""
    pauses: list[float] = []
    clock = SimpleNamespace(monotonic=lambda: sum(pauses), sleep=pauses.append)
    monkeypatch.setattr(transport, "time", clock)
    with scripted(say(503, {"code": "database_unavailable", "detail": "Away.", "mend": "Wait."})) as there:
        with client(there.url, patience=1.7) as exfm, pytest.raises(errors.ServerProblem) as refused:
            exfm.costs()
        assert refused.value.code == "database_unavailable"
        assert (len(there.asked), pauses) == (3, [0.25, 0.5])


def test_nobody_there_is_said_with_the_address() -> None:
    url = f"http://127.0.0.1:{free_port_pair()}"
    with client(url, patience=0.3) as exfm, pytest.raises(errors.Unreachable) as away:
        exfm.costs()
    assert url in str(away.value)
    assert "Check the address" in str(away.value)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.BadRequest), (401, errors.SignedOut), (403, errors.Forbidden), (404, errors.NotFound),
        (409, errors.Conflict), (412, errors.Changed), (413, errors.TooLarge), (422, errors.Invalid),
        (500, errors.ServerProblem), (418, errors.ApiProblem),
    ],
)  # fmt: skip
def test_each_status_has_its_error_whose_text_tells_how_to_mend_it(status: int, kind: type[errors.ApiProblem]) -> None:
    with (
        scripted(say(status, {**PROBLEM, "status": status})) as there,
        client(there.url, patience=0.1) as exfm,
        pytest.raises(errors.ApiProblem) as refused,
    ):
        exfm.models.register({"name": "m"})
    assert type(refused.value) is kind
    assert str(refused.value) == "spec.model: This field is required. Add one. [bad_spec]"
    assert (refused.value.status, refused.value.request_id) == (status, "r1")


def test_what_is_no_platform_is_said() -> None:
    with scripted(say(404)) as there, client(there.url) as exfm, pytest.raises(errors.NotFound) as refused:
        exfm.costs()
    assert refused.value.code == "http_404"


def test_a_change_names_the_version_that_was_read() -> None:
    with scripted(say(200, {"id": ID}, ETag='"v1"'), say(412, {"code": "changed_meanwhile"})) as there:
        with client(there.url) as exfm, pytest.raises(errors.Changed):
            exfm.webhooks.change(ID, {"enabled": False})
        assert (there.asked[1].method, there.asked[1].headers["if-match"]) == ("PATCH", '"v1"')


def test_an_upload_is_streamed_with_its_hash_and_begins_anew_after_a_break(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    file.write_bytes(bytes(range(256)) * 9000)
    upload = Upload(file, datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 1, tzinfo=UTC))
    with scripted(hang_up, say(202, {"id": ID, "state": "uploaded"})) as there, client(there.url) as exfm:
        assert exfm.streams.push(ID, upload)["state"] == "uploaded"
        exfm.streams.push(ID, upload)
        first, second, third = there.asked
        assert first.body == second.body == file.read_bytes()
        assert second.headers["x-content-sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
        assert second.headers["content-length"] == str(file.stat().st_size)
        assert "start=2026-01-01T00%3A00%3A00Z&end=2026-01-01T01%3A00%3A00Z" in second.path
        assert first.headers["idempotency-key"] == third.headers["idempotency-key"]
        assert len(third.headers["idempotency-key"]) <= 200


def card(state: str) -> str:
    """Return a run's event."""
    return f'id: 7\nevent: run\ndata: {{"id": "{ID}", "state": "{state}"}}\n\n'


def test_a_run_is_followed_through_broken_streams() -> None:
    stream = events("retry: 3000\n: connected\n\n", card("running"))
    resync = events("id: 8\nevent: resync\ndata: {}\n\n")
    with scripted(stream, hang_up, resync, say(200, {"id": ID, "state": "succeeded"})) as there:
        with client(there.url) as exfm:
            assert [seen["state"] for seen in exfm.runs.follow(ID)] == ["running", "succeeded"]
        assert [asked.headers.get("last-event-id") for asked in there.asked] == [None, "7", "7", None]
        assert there.asked[0].path == f"/api/v1/tenants/acme/events?run={ID}"


def test_a_refused_stream_is_not_asked_again() -> None:
    with scripted(say(404, {"code": "run_not_found"})) as there, client(there.url) as exfm:
        with pytest.raises(errors.NotFound):
            list(exfm.runs.follow(ID))
        assert len(there.asked) == 1


def test_ids_cannot_leave_their_place_in_an_address() -> None:
    with client("http://127.0.0.1:9") as exfm, pytest.raises(errors.Unusable):
        exfm.runs.get("../../session")


def test_an_address_without_a_scheme_is_refused() -> None:
    with pytest.raises(errors.Unusable):
        Transport("exfm.example.com", "exfm_x")
