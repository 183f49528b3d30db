"""A child's life: it dies with its supervisor, and fails with a sentence."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.exfm_core.train.driver import REPOSITORY, Child
from tests.exfm_core.train.factories import partition, schema, vertical
from tests.kit.patience import PATIENCE


def begin(child: Child, **changes: Any) -> None:
    body: dict[str, Any] = {"spec": vertical().to_json(), "schema": schema().to_json(), "arms": ["control"]}
    child.start("vm.train", **(body | changes))


def fails(child: Child, code: str, fault: str) -> dict[str, Any]:
    while (event := child.next())["type"] != "error":
        pass
    assert (event["code"], event["fault"]) == (code, fault), event
    assert event["message"]
    assert event["mend"]
    assert "Traceback" not in event["message"]
    assert child.wait() == 1
    return event


def test_end_of_input_in_mid_partition_ends_it(tmp_path: Path) -> None:
    big = partition(tmp_path, 60_000, 1)
    with Child(tmp_path) as child:
        begin(child)
        child.until("ready")
        child.send("work", seq=1, partition=big.body(), labels=None, gate="open")
        child.until("progress")
        assert child.process.stdin is not None
        child.process.stdin.close()
        assert child.wait() in (0, 3)
    assert not (tmp_path / "runs").exists()


def test_dies_with_its_supervisor(tmp_path: Path) -> None:
    """The supervisor is killed while a pipe end of the child's input stays open elsewhere."""
    read, write = os.pipe()
    script = (
        "import os, subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-m', 'exfm_core', 'child', '--parent', str(os.getpid())],"
        f" stdin={read}, stdout=subprocess.PIPE)\n"
        "print(child.pid, flush=True)\n"
        "child.stdout.readline()\n"
        "print('ready', flush=True)\n"
        "import time; time.sleep(600)\n"
    )
    supervisor = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=REPOSITORY, pass_fds=(read,)
    )
    try:
        assert supervisor.stdout is not None
        pid = int(supervisor.stdout.readline())
        common = {"run": "r", "attempt": 1, "storage": f"file://{tmp_path}", "prefix": "p", "arms": ["control"]}
        body = {"spec": vertical().to_json(), "schema": schema().to_json()}
        os.write(write, (json.dumps({"type": "start", "job": "vm.train", **common, **body}) + "\n").encode())
        assert supervisor.stdout.readline() == b"ready\n"
        supervisor.kill()
        supervisor.wait()
        deadline = time.monotonic() + PATIENCE
        while alive(pid):
            assert time.monotonic() < deadline, "the child outlived its supervisor"
    finally:
        supervisor.kill()
        supervisor.communicate()
        os.close(read)
        os.close(write)


def alive(pid: int) -> bool:
    """True while the process runs (a zombie whose new parent has not reaped it yet is dead)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_refuses_a_parent_that_is_gone(tmp_path: Path) -> None:
    with Child(tmp_path, parent=1) as child:
        assert child.wait() == 3


def test_does_not_load_torch_before_start(tmp_path: Path) -> None:
    with Child(tmp_path) as child:
        child.send("ack", seq=1)
        fails(child, "protocol.order", "platform")
        assert "torch" not in child.log()
    code = "import sys, exfm_core.__main__, exfm_core.train.child; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=REPOSITORY).returncode == 0


def test_bad_spec(tmp_path: Path) -> None:
    with Child(tmp_path) as child:
        begin(child, spec={"model": {}})
        fails(child, "spec.missing_field", "user")


def test_changed_partition(tmp_path: Path) -> None:
    part = partition(tmp_path, 50, 1)
    with (tmp_path / part.file.uri).open("ab") as stream:
        stream.write(b"x")
    with Child(tmp_path) as child:
        begin(child)
        child.until("ready")
        child.send("work", seq=1, partition=part.body(), labels=None, gate="open")
        fails(child, "storage.changed", "platform")


def test_corrupt_checkpoint(tmp_path: Path) -> None:
    part = partition(tmp_path, 50, 1)
    with Child(tmp_path) as child:
        begin(child, resume={"control": part.body()["file"]})
        fails(child, "checkpoint.damaged", "platform")


def test_partition_out_of_time_order(tmp_path: Path) -> None:
    late, early = partition(tmp_path, 50, 2), partition(tmp_path, 50, 1)
    with Child(tmp_path) as child:
        begin(child)
        child.until("ready")
        child.send("work", seq=1, partition=late.body(), labels=None, gate="open")
        child.until("done")
        child.send("ack", seq=1)
        child.send("work", seq=2, partition=early.body(), labels=None, gate="open")
        fails(child, "protocol.time_order", "platform")


@pytest.mark.parametrize("line", [b"{\n", b'{"type":"dance"}\n', b'{"type":"start"}\n'])
def test_malformed_command(tmp_path: Path, line: bytes) -> None:
    with Child(tmp_path) as child:
        assert child.process.stdin is not None
        child.process.stdin.write(line)
        child.process.stdin.flush()
        fails(child, "protocol.malformed", "platform")
