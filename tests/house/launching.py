"""Starts real launchers for the tests of this folder, and finds what belongs to an installation."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil

from tests.kit.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]


def processes_of(home: Path, *, servers: bool = True) -> list[psutil.Process]:
    """Return the running processes of an installation; without `servers`, only those that must end with the
    launcher."""
    found = []
    for process in psutil.process_iter(["name", "cmdline", "environ", "status"]):
        if process.info["status"] == psutil.STATUS_ZOMBIE:
            continue
        belongs = (process.info["environ"] or {}).get("EXFM_HOME") == str(home)
        belongs = belongs or str(home) in " ".join(process.info["cmdline"] or [])
        server = process.info["name"] in {"postgres", "valkey-server"}
        if belongs and process.pid != os.getpid() and (servers or not server):
            found.append(process)
    return found


class Launched:
    """One `manage.py up`."""

    def __init__(self, home: Path, port: int, **environment: str) -> None:
        self.home, self.port = home, port
        self.lines: list[str] = []
        self._news = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=ROOT,
            env={**os.environ, "EXFM_HOME": str(home), "EXFM_PORT": str(port), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line.rstrip())
                self._news.notify_all()
        with self._news:
            self.lines.append("<end>")
            self._news.notify_all()

    def wait_for(self, text: str, seconds: float = PATIENCE) -> str:
        """Return the first line with the text."""
        with self._news:
            found = self._news.wait_for(lambda: self._match(text), seconds)
        assert found and text in found, self.lines
        return str(found)

    def _match(self, text: str) -> Any:
        return next((line for line in self.lines if text in line or line == "<end>"), None)

    def ready(self) -> "Launched":
        """Wait until the platform reports readiness."""
        self.wait_for("Ready after", 2 * PATIENCE)
        return self

    def stop(self) -> int:
        """Press Ctrl-C; return the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """`kill -9` of the launcher alone."""
        self.process.kill()
        self.process.wait()


def refusal(home: Path, port: int, *command: str) -> tuple[int, str]:
    """Run a command that ends by itself; return its exit status and what it said."""
    done = subprocess.run(
        [sys.executable, "manage.py", *(command or ("up",))],
        cwd=ROOT,
        env={**os.environ, "EXFM_HOME": str(home), "EXFM_PORT": str(port)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).strip()


def until(condition: Any, seconds: float = PATIENCE) -> Any:
    """Poll until the condition holds; return its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return value
