"""The embedded PostgreSQL: made at first start, adopted when a killed launcher left it running, stopped on request."""

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg

from config.embedded.account import ServerAccount, ServerError
from config.embedded.installation import Installation
from config.embedded.wheels import postgres_programs

SUPERUSER = "postgres"
START_SECONDS = 60


class Postgres:
    """One cluster under `Installation.servers`, reached over a unix socket with passwords, or over TCP too
    when given a port."""

    def __init__(self, place: Installation, settings: Mapping[str, str] | None = None, port: int | None = None) -> None:
        self.place, self.account = place, ServerAccount()
        self.data = place.servers / "postgres"
        self.log = place.logs / "postgres.log"
        own = {"listen_addresses": "127.0.0.1" if port else "", "port": str(port or 5432)}
        # No spinning disk: a row found by an index costs what the next one costs. With the default of 4 the newest runs
        # of one tenant were looked for among everybody's.
        self.settings = {**own, "random_page_cost": "1.1", **(settings or {})}
        self.process: subprocess.Popen[bytes] | None = None

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """Connect as the cluster's superuser."""
        password = self.place.secrets.read(f"{SUPERUSER}_password")
        return psycopg.connect(
            host=str(self.place.run),
            port=self.settings["port"],
            user=SUPERUSER,
            password=password,
            dbname=database,
            autocommit=True,
        )

    def start(self) -> "Postgres":
        """Start or adopt the server; returns when it answers. Raises ServerError with the log's last lines."""
        self.place.logs.mkdir(parents=True, exist_ok=True)
        self.account.folder(self.place.servers, 0o755)
        self.account.folder(self.place.run)
        with (self.place.home / "postgres.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            programs = postgres_programs(self.account, self.place.servers)
            if not (self.data / "PG_VERSION").exists():
                self._initialise(programs)
            elif not self.place.secrets.read(f"{SUPERUSER}_password"):
                raise self._strange_secrets()
            if self.pid() is None:
                self._launch(programs)
            self._wait(programs)
        return self

    def pid(self) -> int | None:
        """Return the running server's process id, also of one that an earlier launcher left; None when it does
        not run."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split()[0])
            return pid if str(self.data) in psutil.Process(pid).cmdline() else None
        except (FileNotFoundError, ValueError, IndexError, psutil.Error):
            return None

    def stop(self, seconds: float = 30) -> None:
        """Shut down fast: open transactions are rolled back, nothing committed is lost."""
        if (pid := self.pid()) is None:
            return
        os.kill(pid, signal.SIGINT)
        until = time.monotonic() + seconds
        while self.pid() is not None and time.monotonic() < until:
            if self.process is not None:
                self.process.poll()
            time.sleep(0.02)

    def _initialise(self, programs: Path) -> None:
        """Make the cluster beside its place and rename it, so that a half-made one is never taken for a cluster."""
        half = self.data.with_suffix(".half")
        shutil.rmtree(half, ignore_errors=True)
        self.account.folder(half)
        with tempfile.NamedTemporaryFile("w", dir=self.place.run, suffix=".password") as file:
            file.write(self.place.secrets.get(f"{SUPERUSER}_password"))
            file.flush()
            self.account.give(Path(file.name))
            done = subprocess.run(
                [
                    programs / "initdb", "--pgdata", half, "--username", SUPERUSER, "--pwfile", file.name,
                    "--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8",
                    "--data-checksums", "--no-instructions", *self._sync_option(),
                ],
                capture_output=True, text=True, check=False, **self.account.popen(),
            )  # fmt: skip
        if done.returncode:
            raise ServerError(f"PostgreSQL could not make its data folder {self.data}: {done.stderr.strip()[-500:]}")
        half.rename(self.data)

    def _sync_option(self) -> list[str]:
        return ["--no-sync"] if self.settings.get("fsync") == "off" else []

    def _launch(self, programs: Path) -> None:
        """Start the server, after removing what a killed one left."""
        self._remove_stale_locks()
        if self.log.exists() and self.log.stat().st_size > 16 * 1024 * 1024:
            self.log.replace(self.log.with_suffix(".log.old"))
        options = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [programs / "postgres", "-D", self.data, "-k", self.place.run, *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self.account.popen(),
            )  # fmt: skip

    def _remove_stale_locks(self) -> None:
        """Remove lock files whose process is a zombie or a stranger; PostgreSQL itself removes those of
        vanished ones."""
        for lock in (self.data / "postmaster.pid", self.place.run / f".s.PGSQL.{self.settings['port']}.lock"):
            with suppress(FileNotFoundError, ValueError, IndexError):
                if psutil.pid_exists(int(lock.read_text().split()[0])):
                    lock.unlink()

    def _wait(self, programs: Path) -> None:
        """Wait until the server answers; start again while backends of a killed server still hold its memory."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            try:
                self.connect().close()
                return
            except psycopg.OperationalError as problem:
                if "password authentication failed" in str(problem):
                    raise self._strange_secrets() from None
                if self.process is not None and self.process.poll() is not None:
                    if "still in use" not in self.tail(400):
                        break
                    time.sleep(0.3)
                    self._launch(programs)
                time.sleep(0.03)
        raise ServerError(f"PostgreSQL does not start. Its log {self.log} ends with:\n{self.tail()}")

    def _strange_secrets(self) -> ServerError:
        return ServerError(
            f"The passwords in {self.place.secrets.folder} are not those of the database in {self.data}. "
            "Put the old ones back, or remove both folders to start afresh."
        )

    def tail(self, characters: int = 1500) -> str:
        """Return the end of the server's log."""
        try:
            return self.log.read_text(errors="replace")[-characters:].strip()
        except FileNotFoundError:
            return "(empty)"
