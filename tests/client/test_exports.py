"""`exfm export`: asks, follows, downloads over broken connections, and keeps only what has the announced hash."""

import hashlib
import json
import socket
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from exfm_client import exports
from exfm_client.cli.main import main
from tests.client.server import Answer, say, scripted

FILE = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(FILE).hexdigest()
ID = "01900000-0000-7000-8000-000000000001"


def row(state: str, **facts: Any) -> dict[str, Any]:
    """Return an export as the API shows it."""
    nothing = {"bytes": None, "sha256": None, "files": None, "rows": None, "error": None, "missing": 0}
    sizes = {"expected_bytes": len(FILE), "written_bytes": 10}
    return {"id": ID, "state": state, "include": ["rows"], **sizes, **nothing, **facts}


DONE = row("done", bytes=len(FILE), sha256=SHA256, files=3, rows=7)


def sent(most: int = len(FILE), content: bytes = FILE, ranges: bool = True) -> Answer:
    """Return an answer that goes on where it is asked to, and breaks off after `most` bytes."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers.get("Range") if ranges else None
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        handler.send_response(206 if asked else 200)
        handler.send_header("Content-Length", str(len(content) - start))
        handler.end_headers()
        handler.wfile.write(content[start : start + most])
        handler.wfile.flush()
        if start + most < len(content):
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_WR)

    return answer


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("EXFM_TOKEN", "exfm_x")
    monkeypatch.setenv("EXFM_TENANT", "acme")
    monkeypatch.setattr(exports, "POLL_SECONDS", 0.01)


def test_an_export_is_asked_for_followed_and_fetched_over_a_broken_connection(
    monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    told = [say(202, row("queued")), say(200, row("running")), say(200, DONE), say(200, DONE)]
    half = len(FILE) // 2
    with scripted(*told, sent(half), say(503, {}), sent()) as there:
        monkeypatch.setenv("EXFM_URL", there.url)
        assert main(["export", "--include", "rows", "models", "--json"]) == 0
    assert json.loads(there.asked[0].body) == {"include": ["rows", "models"]}
    assert there.asked[0].headers["idempotency-key"]
    fetched = [asked for asked in there.asked if asked.path.endswith("/download")]
    assert [asked.headers.get("range") for asked in fetched] == [None, f"bytes={half}-", f"bytes={half}-"]
    assert fetched[-1].headers["if-range"] == f'"{SHA256}"'
    assert json.loads(capsys.readouterr().out)["file"] == "acme-export.zip"
    assert Path("acme-export.zip").read_bytes() == FILE
    assert list(Path().glob("*.part")) == []


def test_a_platform_that_sends_all_anew_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(say(200, DONE), say(200, DONE), say(200, DONE), sent(1000), sent(ranges=False)) as there:
        monkeypatch.setenv("EXFM_URL", there.url)
        assert main(["export", "--id", ID, "--out", "mine.zip"]) == 0
    assert Path("mine.zip").read_bytes() == FILE


def test_another_hash_than_announced_leaves_no_file(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    with scripted(say(200, DONE), say(200, DONE), say(200, DONE), sent(content=b"x" * len(FILE))) as there:
        monkeypatch.setenv("EXFM_URL", there.url)
        assert main(["export", "--id", ID]) == 2
    assert f"not {SHA256}" in capsys.readouterr().err
    assert list(Path().glob("*.zip*")) == []


def test_a_failed_export_says_why(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    failed = row("failed", error={"message": "The storage filled up.", "mend": "Leave the partitions out."})
    with scripted(say(202, row("queued")), say(200, failed)) as there:
        monkeypatch.setenv("EXFM_URL", there.url)
        assert main(["export"]) == 1
    assert "The storage filled up. Leave the partitions out." in capsys.readouterr().out


def test_a_file_that_is_there_is_not_overwritten(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    Path("acme-export.zip").write_bytes(b"before")
    with scripted(say(200, DONE)) as there:
        monkeypatch.setenv("EXFM_URL", there.url)
        assert main(["export", "--id", ID]) == 2
    assert Path("acme-export.zip").read_bytes() == b"before"
    assert "acme-export.zip exists" in capsys.readouterr().err
