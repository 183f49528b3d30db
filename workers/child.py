"""The child process as its supervisor sees it: commands in, events out, the log's tail, a way to end its group."""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from dataclasses import dataclass
from typing import IO, Any, Final

from config.children import clean_environment
from exfm_core import events

LOG_LINES: Final = 200
LINE_BYTES: Final = 2000


@dataclass(frozen=True)
class Said:
    """The child sent an event."""

    event: events.Event


@dataclass(frozen=True)
class Garbled:
    """The child sent a line that is no event."""

    error: events.ProtocolError


@dataclass(frozen=True)
class Gone:
    """The child's event pipe has ended: it has exited, or is about to."""


class ChildProcess:
    """One `python -m exfm_core child` in a session of its own. Must be started by a thread that outlives it."""

    def __init__(self, *, job: str, threads: int, inbox: "queue.Queue[Any]", storage: str = "") -> None:
        self._job, self._inbox = job, inbox
        self._tail: deque[str] = deque(maxlen=LOG_LINES)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "exfm_core", "child", "--parent", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=clean_environment(threads, storage),
            cwd="/",
            start_new_session=True,
        )
        self._readers = [
            threading.Thread(target=self._read_events, name=f"events-{self.pid}", daemon=True),
            threading.Thread(target=self._read_log, name=f"log-{self.pid}", daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        """The process id, which is its group's too."""
        return self._process.pid

    @property
    def log_tail(self) -> str:
        """The last lines of its standard error."""
        return "\n".join(tuple(self._tail))

    def send(self, command: events.Command) -> None:
        """Send one command; a child that is gone is noticed by the end of its event pipe."""
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101 - a pipe was asked for
        with contextlib.suppress(BrokenPipeError, ValueError):
            stdin.write((events.encode_command(command) + "\n").encode())
            stdin.flush()

    def wait(self, seconds: float) -> int | None:
        """Return the exit status (negative: the signal), or None if it still runs after `seconds`."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> int | None:
        """Kill the whole group if anything of it is left, collect the pipes, and return the exit status."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        status = self.wait(10.0)
        for reader in self._readers:
            reader.join(2.0)
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        return status

    def _read_events(self) -> None:
        stdout: IO[bytes] | None = self._process.stdout
        assert stdout is not None  # noqa: S101 - a pipe was asked for
        with stdout:
            for line in stdout:
                try:
                    self._inbox.put(Said(events.decode_event(line, self._job)))
                except events.ProtocolError as error:
                    self._inbox.put(Garbled(error))
        self._inbox.put(Gone())

    def _read_log(self) -> None:
        stderr: IO[bytes] | None = self._process.stderr
        assert stderr is not None  # noqa: S101 - a pipe was asked for
        with stderr:
            for line in stderr:
                self._tail.append(line[:LINE_BYTES].decode(errors="replace").rstrip())
