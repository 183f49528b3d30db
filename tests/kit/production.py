"""The production path without Docker: the compose file's processes under production settings, at real servers over TCP.

PostgreSQL and RabbitMQ or Redis of the machine are used where they answer on the loopback address, else the embedded
ones over TCP.
"""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from kombu import Connection
from psycopg import sql

from config.embedded.postgres import SUPERUSER, Postgres
from tests.house.launching import ROOT, until
from tests.kit import servers
from tests.kit.patience import PATIENCE
from tests.kit.ports import free_port_pair

OURS = "roles of the ExFM test suite"
ROLES = {"OWNER": "exfm_owner", "APP": "exfm_app", "PLATFORM": "exfm_platform"}
QUEUES = ("control", "cpu")


@dataclass
class Database:
    """A server we may make databases on: its superuser's address, and a name for the log."""

    admin_url: str
    where: str


def machine_database() -> Database | None:
    """Return the machine's PostgreSQL when we are superuser there and nobody else's platform lives on it."""
    for user in ("postgres", "root"):
        url = os.environ.get("TEST_DATABASE_URL_ADMIN") or f"postgresql://{user}@127.0.0.1:5432/postgres"
        with contextlib.suppress(psycopg.Error), psycopg.connect(url, autocommit=True, connect_timeout=2) as admin:
            mine = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
            strangers = (
                "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'exfm\\_%%'"
                " AND shobj_description(oid, 'pg_authid') IS DISTINCT FROM %s"
            )
            row, others = admin.execute(mine).fetchone(), admin.execute(strangers, [OURS]).fetchone()
            if row and row[0] and others and not others[0]:
                return Database(url, f"PostgreSQL {admin.info.server_version // 10000} of the machine")
    return None


@contextmanager
def database() -> Iterator[Database]:
    """Yield a PostgreSQL over TCP."""
    if found := machine_database():
        yield found
        return
    with servers.temporary_installation() as place:
        server = Postgres(place, settings=servers.FAST, port=free_port_pair()).start()
        password = place.secrets.read(f"{SUPERUSER}_password")
        try:
            url = f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{server.settings['port']}/postgres"
            yield Database(url, "embedded PostgreSQL over TCP")
        finally:
            server.stop()


@contextmanager
def broker() -> Iterator[str]:
    """Yield the address of RabbitMQ or Redis of the machine, else of the embedded Valkey over TCP."""
    for url in (
        os.environ.get("TEST_BROKER_URL", ""),
        "amqp://guest:guest@127.0.0.1:5672//",
        "redis://127.0.0.1:6379/9",
    ):
        if url and answers(url):
            empty(url)
            yield url
            empty(url)
            return
    with servers.temporary_installation() as place:
        port = free_port_pair()
        with servers.valkey_server(place, port=port):
            yield f"redis://127.0.0.1:{port}/0"


def answers(url: str) -> bool:
    """Tell whether a broker answers at once."""
    try:
        with Connection(url, connect_timeout=2) as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=2)
        return True
    except Exception:  # noqa: BLE001 - each transport raises its own kinds
        return False


def empty(url: str) -> None:
    """Remove our queues with what an earlier run left in them."""
    with Connection(url, connect_timeout=2) as connection:
        for name in QUEUES:
            with contextlib.suppress(*connection.channel_errors, *connection.connection_errors):
                connection.default_channel.queue_delete(name)
                connection.release()


@dataclass
class Production:
    """Processes under `config.settings.production`, each with its own credential."""

    folder: Path
    urls: dict[str, str]
    broker_url: str
    where: str
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(64))
    port: int = field(default_factory=free_port_pair)
    stream_port: int = field(default_factory=free_port_pair)
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def environment(self, process: str) -> dict[str, str]:
        """Return what the compose file gives that process."""
        role = {"owner": "OWNER", "web": "APP", "stream": "APP"}.get(process, "PLATFORM")
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH") if key in os.environ}
        return kept | {
            "ALLOWED_HOSTS": "127.0.0.1",
            "BROKER_URL": self.broker_url,
            "DATABASE_URL": self.urls[role],
            "DJANGO_SETTINGS_MODULE": "config.settings.production",
            "EXFM_ADMIN_ORIGIN": self.url("admin"),
            "EXFM_HOME": str(self.folder),
            "EXFM_POOL_SIZE": "24" if process == "worker" else "8",
            "EXFM_PROCESS": process,
            "EXFM_SWEEP_SECONDS": "1",
            "EXFM_TRUSTED_PROXIES": "1",
            "OMP_WAIT_POLICY": "passive",
            "PYTHONPATH": f"{ROOT / 'platform'}{os.pathsep}{ROOT}",
            "SECRET_KEY": self.secret,
            "STATIC_ROOT": str(self.folder / "static"),
            "STORAGE_URL": f"file://{self.folder / 'storage'}",
        }

    def url(self, process: str) -> str:
        """Return where a process answers."""
        port = {"web": self.port, "admin": self.port + 1, "stream": self.stream_port}[process]
        return f"http://127.0.0.1:{port}"

    def manage(self, *command: str, process: str = "owner", **more: str) -> str:
        """Run a management command; return what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT, env=self.environment(process) | more, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self) -> None:
        """Start web, stream, admin, worker and beat, and wait until the three servers are ready."""
        granian = [sys.executable, "-m", "granian", "--log-level", "warning", "--workers", "1"]
        wsgi = [*granian, "--interface", "wsgi", "--blocking-threads", "4", "config.wsgi:application", "--port"]
        asgi = [*granian, "--interface", "asginl", "--no-ws", "config.asgi:application", "--port"]
        celery = [sys.executable, "-m", "celery", "-A", "config.celery"]
        for process, command in {
            "web": [*wsgi, str(self.port)],
            "admin": [*wsgi, str(self.port + 1)],
            "stream": [*asgi, str(self.stream_port)],
            "worker": [*celery, "worker", "-P", "threads", "-c", "16", "-Q", ",".join(QUEUES), "-l", "warning"],
            "beat": [*celery, "beat", "--pidfile=", "-l", "warning"],
        }.items():
            with (self.folder / f"{process}.log").open("wb") as log:
                self.running[process] = subprocess.Popen(
                    command, cwd=ROOT, env=self.environment(process),
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                )  # fmt: skip
        for process in ("web", "admin", "stream"):
            until(lambda process=process: self.ready(process))

    def ready(self, process: str) -> bool:
        """Ask /readyz as a load balancer would."""
        assert self.running[process].poll() is None, (self.folder / f"{process}.log").read_text()[-3000:]
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url(process)}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
        return False

    def stop(self) -> None:
        """Stop all at once; kill what takes too long."""
        for process in self.running.values():
            if process.poll() is None:
                process.terminate()
        for process in self.running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(PATIENCE)


@contextmanager
def production(folder: Path) -> Iterator[Production]:
    """Yield a migrated installation on real servers; its database and roles are removed afterwards."""
    with ExitStack() as stack:
        server, broker_url = stack.enter_context(database()), stack.enter_context(broker())
        name = f"exfm_test_{secrets.token_hex(4)}"
        target = server.admin_url.split("@", 1)[1].rsplit("/", 1)[0]
        urls = {key: f"postgresql://{role}:{secrets.token_urlsafe(24)}@{target}/{name}" for key, role in ROLES.items()}
        where = f"{server.where}, {broker_url.split(':', 1)[0]} broker"
        installation = Production(folder, urls, broker_url, where)
        addresses = {f"DATABASE_URL_{key}": url for key, url in urls.items()}
        try:
            installation.manage("create_roles", DATABASE_URL_ADMIN=server.admin_url, **addresses)
            _mark(server.admin_url)
            installation.manage("migrate", "--no-input", "--verbosity", "0")
            installation.manage("collectstatic", "--no-input", "--verbosity", "0")
            installation.start()
            yield installation
        finally:
            installation.stop()
            _remove(server.admin_url, name)


def _mark(admin_url: str) -> None:
    with psycopg.connect(admin_url, autocommit=True) as admin:
        for role in ROLES.values():
            admin.execute(sql.SQL("COMMENT ON ROLE {} IS {}").format(sql.Identifier(role), sql.Literal(OURS)))


def _remove(admin_url: str, name: str) -> None:
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        for role in ROLES.values():
            with contextlib.suppress(psycopg.errors.DependentObjectsStillExist):
                admin.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))
