"""One supervised process of the launcher: started, its lines collected, started again with back-off when it dies."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from config.embedded.parent import die_with_parent

FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
STEADY_SECONDS = 10.0
LOG_BYTES = 16 * 1024 * 1024


class Child(threading.Thread):
    """Keeps one command running until told to stop. The thread that starts the process lives as long as the launcher,

    because the kernel's parent-death signal follows the starting thread.
    """

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path, say: Callable[[str], None]
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.command, self.environment, self.log, self.say = list(command), dict(environment), log, say
        self.process: subprocess.Popen[str] | None = None
        self.stopping = threading.Event()

    def run(self) -> None:
        """Start, wait, start again."""
        delay = FIRST_DELAY
        while not self.stopping.is_set():
            began = time.monotonic()
            self._run_once()
            if self.stopping.is_set():
                break
            if time.monotonic() - began > STEADY_SECONDS:
                delay = FIRST_DELAY
            self.say(f"{self.name} ended ({self._ending()}); it starts again in {delay:g} s. Its log: {self.log}")
            self.stopping.wait(delay)
            delay = min(delay * 2, LONGEST_DELAY)

    def _run_once(self) -> None:
        launcher = os.getpid()
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.old"))
        with self.log.open("a", buffering=1) as log:
            self.process = subprocess.Popen(
                self.command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
                preexec_fn=(lambda: die_with_parent(launcher)) if sys.platform == "linux" else None,
            )
            for line in self.process.stdout or ():
                log.write(line)
            self.process.wait()

    def _ending(self) -> str:
        code = self.process.returncode if self.process else None
        return f"signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit status {code}"

    def ask_to_stop(self) -> None:
        """Send SIGTERM; do not start again."""
        self.stopping.set()
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def end(self, seconds: float) -> None:
        """Wait, then kill the whole process group."""
        if self.process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(max(seconds, 0.05))
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(2)
