"""Starts the platform below the demo, so that it ends with it, and waits until it is ready."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from config.embedded.record import Record
from scripts.demo.errors import DemoError

READY_SECONDS = 240
STOP_SECONDS = 20


class Platform:
    """`manage.py up` as a child process: ready when it says so, ended with the demo."""

    def __init__(self, *, home: Path, port: int) -> None:
        self.home = home
        self.web = f"http://127.0.0.1:{port}"
        self.admin = f"http://127.0.0.1:{port + 1}"
        self._log = home / "logs" / "launcher.log"
        self._process: subprocess.Popen[bytes] | None = None
        own = {"EXFM_HOME": str(home), "EXFM_PORT": str(port), "DJANGO_SETTINGS_MODULE": "config.settings.local"}
        self._environment = {**os.environ, **own}

    def start(self) -> None:
        """Start the launcher and wait until web and admin answer."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--parent", str(os.getpid())],
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise DemoError(self._last_words(), f"the whole log is {self._log}")
            # The launcher writes its number when web and admin are ready; on a used port a stranger's would answer.
            if Record(self.home).read().get("pid") == self._process.pid:
                return
            time.sleep(0.1)
        self.stop()
        raise DemoError(f"the platform was not ready after {READY_SECONDS} s", f"look at {self._log}")

    def stop(self) -> None:
        """Ask the launcher to stop everything it started, and wait for it."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def wait(self) -> int:
        """Block until the launcher ends."""
        return self._process.wait() if self._process else 0

    def admin_token(self) -> str:
        """Make a platform administrator's token with the operator's own command."""
        done = subprocess.run(
            [sys.executable, "manage.py", "bootstrap_admin", "--email", "admin@exfm.example.com", "--json"],
            env={**self._environment, "EXFM_PROCESS": "admin"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise DemoError((done.stderr or done.stdout).strip()[-400:], "see the message above")
        return str(json.loads(done.stdout)["token"])

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return "\n".join(lines[-6:]) or "the launcher ended without a word"
