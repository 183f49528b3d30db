"""Real Celery processes on the suite's database and broker, to be killed."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config import env
from config.embedded.installation import Installation
from tests.kit.patience import PATIENCE


class Celery:
    """A worker and a beat as the launcher starts them; the worker can be killed and started again."""

    def __init__(self, place: Installation, broker: str, storage: str, logs: Path) -> None:
        self.place, self.broker, self.storage, self.logs = place, broker, storage, logs
        logs.mkdir(parents=True, exist_ok=True)
        self.worker = self._start_worker()
        self.beat = self._start(
            "beat", "beat", "--pidfile=", "-S", "celery.beat:PersistentScheduler", "-s", f"{logs}/beat.db"
        )

    def kill_worker(self) -> None:
        """kill -9."""
        self.worker.kill()
        self.worker.wait(PATIENCE)

    def restart_worker(self) -> None:
        """Start a worker of the same name in place of the dead one."""
        self.worker = self._start_worker()

    def terminate_worker(self) -> None:
        """SIGTERM, as a deployment does."""
        self.worker.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """End both."""
        for process in (self.beat, self.worker):
            process.terminate()
        for process in (self.beat, self.worker):
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(PATIENCE)

    def _start_worker(self) -> "subprocess.Popen[bytes]":
        name = f"worker@chaos-{os.getpid()}"
        options = ("-P", "threads", "-c", "12", "-Q", "control,cpu", "-n", name, "--without-gossip", "--without-mingle")
        return self._start("worker", "worker", *options, "-l", "info")

    def _start(self, process: str, *command: str) -> "subprocess.Popen[bytes]":
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_URL")}
        environment |= {
            "PYTHONPATH": os.pathsep.join([str(env.ROOT / "platform"), str(env.ROOT)]),
            "DJANGO_SETTINGS_MODULE": "config.settings.local",
            "EXFM_PROCESS": process,
            "EXFM_HOME": str(self.place.home),
            "DATABASE_URL": self.place.database_url(process),
            "BROKER_URL": self.broker,
            "STORAGE_URL": self.storage,
            "EXFM_SWEEP_SECONDS": "1",
            "EXFM_LEASE_SECONDS": "5",
        }
        with (self.logs / f"{process}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "config.celery", *command],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


@contextmanager
def celery(place: Installation, broker: str, storage: str, logs: Path) -> Iterator[Celery]:
    """Run worker and beat; end them afterwards whatever happens."""
    running = Celery(place, broker, storage, logs)
    try:
        yield running
    finally:
        running.stop()


def kill(pid: int) -> None:
    """kill -9 one process that may be gone already."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
