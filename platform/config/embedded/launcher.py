"""The launcher behind `manage.py up`: servers, migrations, then web, admin, worker and beat, kept running
until told to stop."""

import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

from config import env
from config.embedded.account import ServerError
from config.embedded.child import Child
from config.embedded.installation import Installation
from config.embedded.migrations import migrate_if_needed
from config.embedded.ports import require_free
from config.embedded.record import Record, end_leftovers, identify
from config.embedded.servers import Servers

READY_SECONDS = 120
STOP_SECONDS = 15
GRACE_SECONDS = 8.0
"""How long processes may take to stop by themselves; Ctrl-C ends everything within 12 s."""


@dataclass(frozen=True)
class Addresses:
    """Where web and admin answer."""

    host: str
    web_port: int
    admin_port: int

    @classmethod
    def from_environment(cls) -> "Addresses":
        """Read EXFM_HOST, EXFM_PORT and EXFM_ADMIN_PORT (the port after EXFM_PORT unless set)."""
        port = env.number("EXFM_PORT", 8000)
        return cls(env.text("EXFM_HOST", "127.0.0.1"), port, env.number("EXFM_ADMIN_PORT", port + 1))

    def url(self, port: int) -> str:
        """Return the address a browser on this machine uses."""
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"


class Launcher:
    """Owns everything it starts; nothing it starts outlives it but the two servers, which the next start adopts."""

    def __init__(self, place: Installation, addresses: Addresses, say: Callable[[str], None]) -> None:
        self.place, self.addresses, self.say = place, addresses, say
        self.servers, self.record = Servers(place), Record(place.home)
        self.children: list[Child] = []
        self.stop_now = threading.Event()

    def run(self) -> None:
        """Start everything, report readiness, wait for a signal, stop everything. Raises ServerError with a
        sentence."""
        began = time.monotonic()
        if not self.record.take_over(STOP_SECONDS):
            other = self.record.read()
            raise ServerError(
                f"The platform already runs from {self.place.home}: {other.get('web', 'starting')} "
                f"(process {other.get('pid', '?')}). Stop it: make stop. Start another: EXFM_HOME=… EXFM_PORT=…"
            )
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, lambda *_: self.stop_now.set())
        try:
            if ended := end_leftovers(self.record.read()):
                self.say(f"Ended what an earlier launcher left: {', '.join(ended)}")
            require_free(self.addresses.host, self.addresses.web_port, "EXFM_PORT")
            require_free(self.addresses.host, self.addresses.admin_port, "EXFM_ADMIN_PORT")
            self.place.close_to_others()
            self.place.secrets.get("secret_key")
            self.servers.start()
            applied = migrate_if_needed(self.servers.database_url("owner"))
            took = time.monotonic() - began
            self.say(f"Servers ready after {took:.1f} s ({self.servers.describe()}; {applied} migrations applied)")
            if not self.stop_now.is_set():
                self._start_children()
                self._report(began)
            while not self.stop_now.wait(1):
                self._note()
        finally:
            self._stop()

    def _start_children(self) -> None:
        granian = [sys.executable, "-m", "granian", "--interface", "asginl", "--host", self.addresses.host]
        granian += ["--workers", "1", "--no-ws"]
        granian += ["--workers-kill-timeout", "3", "--log-level", "warning", "config.asgi:application", "--port"]
        celery = [sys.executable, "-m", "celery", "-A", "config.celery"]
        worker = [
            "worker",
            "-P",
            "threads",
            "-c",
            "16",
            "-Q",
            "control,cpu",
            "-n",
            "worker@%h",
            "--without-gossip",
            "--without-mingle",
        ]
        for name, command in {
            "web": [*granian, str(self.addresses.web_port)],
            "admin": [*granian, str(self.addresses.admin_port)],
            "worker": [*celery, *worker, "-l", "info"],
            "beat": [*celery, "beat", "--pidfile=", "-l", "info"],
        }.items():
            child = Child(name, command, self.environment(name), self.place.logs / f"{name}.log", self.say)
            self.children.append(child)
            child.start()

    def environment(self, process: str) -> dict[str, str]:
        """Return a process's environment: its own credential and no other's."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_URL")}
        paths = [str(env.ROOT / "platform"), str(env.ROOT), os.environ.get("PYTHONPATH", "")]
        return inherited | {
            "DATABASE_URL": self.servers.database_url(process),
            "BROKER_URL": self.servers.broker_url(),
            "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "config.settings.local"),
            "EXFM_WEB_ORIGIN": os.environ.get("EXFM_WEB_ORIGIN") or self.addresses.url(self.addresses.web_port),
            "EXFM_ADMIN_ORIGIN": os.environ.get("EXFM_ADMIN_ORIGIN") or self.addresses.url(self.addresses.admin_port),
            "EXFM_HOME": str(self.place.home),
            "EXFM_POOL_SIZE": "24" if process == "worker" else "8",
            "EXFM_PROCESS": process,
            "EXFM_PARENT_DEATH": "1",
            "MALLOC_ARENA_MAX": "2",
            # No linear algebra here, and each thread of OpenBLAS would reserve memory. Children set their own.
            "OPENBLAS_NUM_THREADS": "1",
            # Idle OpenMP threads of children must sleep: spinning ones take the cores from everything else.
            "OMP_WAIT_POLICY": "passive",
            "PYTHONPATH": os.pathsep.join(path for path in paths if path),
            "PYTHONUNBUFFERED": "1",
            "SECRET_KEY": os.environ.get("SECRET_KEY") or self.place.secrets.get("secret_key"),
            "STORAGE_URL": os.environ.get("STORAGE_URL") or self.place.storage_url,
        }

    def _report(self, began: float) -> None:
        """Wait until web and admin say they are ready, then print their addresses."""
        web, admin = (self.addresses.url(port) for port in (self.addresses.web_port, self.addresses.admin_port))
        until = time.monotonic() + READY_SECONDS
        while not (answers(f"{web}/readyz") and answers(f"{admin}/readyz")):
            if self.stop_now.wait(0.05):
                return
            if time.monotonic() > until:
                raise ServerError(
                    f"The platform is not ready after {READY_SECONDS} s. Its logs are in {self.place.logs}."
                )
        self._note()
        self.say(f"Ready after {time.monotonic() - began:.1f} s. Dashboard {web}  Administration {admin}/admin/")
        self.say(f"Logs: {self.place.logs}. Stop with Ctrl-C.")

    def _note(self) -> None:
        """Write addresses and processes for `make stop` and for the next launcher."""
        running = {
            c.name: identify(c.process.pid) for c in self.children if c.process is not None and c.process.poll() is None
        }
        facts = {
            "pid": os.getpid(),
            "launcher": identify(os.getpid()),
            "web": self.addresses.url(self.addresses.web_port),
            "admin": self.addresses.url(self.addresses.admin_port),
            "processes": running,
        }
        if facts != getattr(self, "_noted", None):
            self.record.write(**facts)
            self._noted = facts

    def _stop(self) -> None:
        """Stop all processes at once, kill those that take too long, then stop the servers."""
        if self.children:
            self.say("Stopping …")
            self.record.write(**{**self.record.read(), "stopping": True})
        for child in self.children:
            child.ask_to_stop()
        until = time.monotonic() + GRACE_SECONDS
        for child in self.children:
            child.end(until - time.monotonic())
        self.servers.stop()
        self.record.clear()
        self.record.release()
        if self.children:
            self.say("Stopped.")


def answers(url: str) -> bool:
    """Tell whether the address answers with success."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
