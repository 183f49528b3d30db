"""The child's two pipes: commands in through a reading thread, events out on a descriptor of its own. Torch-free."""

import os
import queue
import threading
import time
from collections.abc import Iterator
from typing import Final

from exfm_core import events
from exfm_core.events import Ack, Event, Finish, ProtocolError, Start, Stop, Work

GRACE_SECONDS: Final = 2.0
EXIT_NO_SUPERVISOR: Final = 3
Received = Start | Work | Ack | Finish


class StopRequested(Exception):
    """The supervisor asked to stop, or went away (`reason`)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Channel:
    """Commands and events of one child. Takes file descriptor 1 for events; stray prints then go to the log (2)."""

    def __init__(self, commands: int = 0) -> None:
        self._out = os.fdopen(os.dup(1), "wb", buffering=0)
        os.dup2(2, 1)
        self._commands = commands
        self._queue: queue.Queue[Received | ProtocolError | StopRequested] = queue.Queue()
        self._stop: StopRequested | None = None
        self.job: str | None = None
        threading.Thread(target=self._read, name="commands", daemon=True).start()

    def send(self, event: Event) -> None:
        """Writes one event. A supervisor that went away is noticed by the reading thread."""
        line = memoryview((events.encode_event(event) + "\n").encode())
        try:
            while line:
                line = line[self._out.write(line) :]
        except BrokenPipeError as error:
            raise StopRequested("the supervisor closed its pipe") from error

    def receive(self) -> Received:
        """The next command but `stop`. Raises ProtocolError for a malformed line, StopRequested for a stop."""
        self.check()
        item = self._queue.get()
        if isinstance(item, Exception):
            raise item
        return item

    def check(self) -> None:
        """Raises StopRequested as soon as a stop has been read or the pipe has ended; cheap, for inner loops."""
        if self._stop is not None:
            raise self._stop

    def _read(self) -> None:
        for line in self._lines():
            if not line.strip():
                continue
            try:
                command = events.decode_command(line, self.job)
            except ProtocolError as error:
                self._queue.put(error)
                continue
            if isinstance(command, Start):
                self.job = command.job
            if isinstance(command, Stop):
                self._halt(StopRequested(command.reason))
            else:
                self._queue.put(command)
        self._halt(StopRequested("end of input"))
        # Whatever the main thread is in the middle of (an import, a long read): no orphan outlives its supervisor.
        time.sleep(GRACE_SECONDS)
        os._exit(EXIT_NO_SUPERVISOR)

    def _lines(self) -> Iterator[bytes]:
        # Read from the descriptor itself: a daemon thread inside a buffered reader aborts the interpreter's shutdown.
        rest = b""
        while data := os.read(self._commands, 1 << 16):
            *lines, rest = (rest + data).split(b"\n")
            yield from lines

    def _halt(self, stop: StopRequested) -> None:
        self._stop = self._stop or stop
        self._queue.put(stop)
