"""Is the process alive, and can it do its work? Open to everybody, so it tells no secrets."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError as BrokerError
from psycopg import pq
from psycopg.conninfo import make_conninfo
from psycopg_pool import PoolTimeout

from config.celery import app as celery
from tenancy.rls import APP, PLATFORM

EXPECTED_ROLE = {"web": APP, "stream": APP, "admin": PLATFORM, "worker": PLATFORM, "beat": PLATFORM}
BROKER_SECONDS = 2
PING_SECONDS = 2
AWAY = "The database does not answer."
MEND_DATABASE = "Start it, or correct DATABASE_URL."


@dataclass(frozen=True)
class Check:
    """One question and its answer; `mend` says what to do when it is not ok."""

    name: str
    ok: bool
    detail: str
    mend: str = ""


@transaction.non_atomic_requests
@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer as long as the process lives; asks nobody."""
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


@transaction.non_atomic_requests
@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when the process can serve, else 503 with the reason."""
    checks = [_guarded("database", _database)]
    if checks[0].ok:
        checks.append(_guarded("migrations", _migrations))
    checks.append(_broker())
    bad = next((check for check in checks if not check.ok), None)
    body = {
        "status": "ready" if bad is None else "unready",
        "process": settings.EXFM_PROCESS,
        "detail": "Everything this process needs answers." if bad is None else f"{bad.detail} {bad.mend}".strip(),
        "checks": [asdict(check) for check in checks],
    }
    return JsonResponse(body, status=200 if bad is None else 503)


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except (DatabaseError, PoolTimeout):
        return Check(name, False, AWAY, MEND_DATABASE)


def _database() -> Check:
    """The credential decides what this process sees: the wrong one is a hole, a superuser is the largest.

    Whether the server answers at all is asked first: the pool would wait long for a connection.
    """
    if pq.PGconn.ping(_address()) != pq.Ping.OK:
        return Check("database", False, AWAY, MEND_DATABASE)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        role, above = cursor.fetchone()
    wanted = EXPECTED_ROLE.get(settings.EXFM_PROCESS)
    if above:
        return Check(
            "database", False, "The database role stands above row-level security.", "Use the role of this process."
        )
    if wanted is not None and role != wanted:
        return Check(
            "database", False, "The process has another process's database role.", f"Give it {wanted}'s DATABASE_URL."
        )
    return Check("database", True, f"signed in as {role}")


def _address() -> bytes:
    known = connection.get_connection_params()
    address = {name: known[name] for name in ("host", "port", "dbname", "user") if known.get(name)}
    return make_conninfo(**address, connect_timeout=PING_SECONDS).encode()


@lru_cache(maxsize=1)
def _migrations_on_disk() -> frozenset[tuple[str, str]]:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    replaced = {key for migration in loader.disk_migrations.values() for key in migration.replaces}
    return frozenset(loader.disk_migrations) - replaced


def _migrations() -> Check:
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations")
        applied = set(cursor.fetchall())
    missing = _migrations_on_disk() - applied
    if missing:
        return Check("migrations", False, f"{len(missing)} migrations are not applied.", "Run `manage.py migrate`.")
    return Check("migrations", True, "all applied")


def _broker() -> Check:
    mend = "Start it, or correct BROKER_URL; work waits in the database meanwhile."
    link = celery.connection_for_write(connect_timeout=BROKER_SECONDS)
    errors = (OSError, BrokerError, *link.connection_errors)
    try:
        with link:
            link.ensure_connection(max_retries=1, timeout=BROKER_SECONDS, interval_start=0)
            link.channel().close()  # type: ignore[attr-defined]
    except errors:  # type: ignore[misc]
        return Check("broker", False, "The broker does not answer.", mend)
    return Check("broker", True, "reachable")
