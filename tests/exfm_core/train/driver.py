"""Drives the real child over pipes."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from tests.kit.patience import PATIENCE

REPOSITORY = Path(__file__).resolve().parents[3]


class Child:
    """`python -m exfm_core child` with its pipes. Use as a context manager: it never outlives the test."""

    def __init__(self, root: Path, parent: int | None = None) -> None:
        self.root = root
        self.process = subprocess.Popen(
            [sys.executable, "-m", "exfm_core", "child", "--parent", str(parent or os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=REPOSITORY,
            env=os.environ | {"OMP_WAIT_POLICY": "passive", "OMP_NUM_THREADS": "1"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def send(self, type: str, **body: Any) -> None:
        """One command."""
        assert self.process.stdin is not None
        self.process.stdin.write((json.dumps({"type": type, **body}) + "\n").encode())
        self.process.stdin.flush()

    def start(self, job: str, prefix: str = "runs/r/1", **body: Any) -> None:
        """The first command, with one thread and progress after every batch."""
        common = {"run": "r", "attempt": 1, "storage": f"file://{self.root}", "prefix": prefix}
        self.send("start", job=job, **common, **{"threads": 1, "progress_every": 0.0, **body})

    def next(self) -> dict[str, Any]:
        """The next event; fails with the log if the child said nothing more."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            assert self.process.stderr is not None
            raise AssertionError(f"the child ended without a word:\n{self.process.stderr.read().decode()}")
        event: dict[str, Any] = json.loads(line)
        return event

    def until(self, type: str, on: Callable[[dict[str, Any]], None] | None = None) -> dict[str, Any]:
        """The next event of that type; the others go to `on`. An unexpected error fails."""
        while (event := self.next())["type"] != type:
            assert event["type"] != "error", event
            if on is not None:
                on(event)
        return event

    def wait(self) -> int:
        """The exit status."""
        return self.process.wait(timeout=PATIENCE)

    def kill(self) -> None:
        """kill -9."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=PATIENCE)

    def log(self) -> str:
        """Everything it wrote for people; only after its end."""
        assert self.process.stderr is not None
        return bytes(self.process.stderr.read()).decode()


def file(event: dict[str, Any]) -> dict[str, Any]:
    """A File that an event reported."""
    return {name: event[name] for name in ("uri", "sha256", "bytes")}
