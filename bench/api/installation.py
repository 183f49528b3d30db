"""An installation for the benchmark: embedded PostgreSQL with its usual settings, migrated, filled once, kept."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from bench.api.fill import TENANT, USER, Size, fill, identity

ROOT = Path(__file__).resolve().parents[2]
MARK = "filled.json"


@dataclass(frozen=True)
class Filled:
    """A filled installation: its servers, what is in it, and an owner's token of tenant 1."""

    home: Path
    servers: Any
    size: Size
    fill_seconds: float
    token: str

    def environment(self) -> dict[str, str]:
        """The tenants' web process's variables, as the containers set them, without a rate limit."""
        own = {"EXFM_REQUESTS_PER_MINUTE": "100000000", "EXFM_BENCH_TOKEN": self.token, "EXFM_OWN_CORE": "1"}
        return environment(self.home, self.servers, "web") | own


def environment(home: Path, servers: Any, process: str) -> dict[str, str]:
    """The variables of one of the platform's processes."""
    return os.environ | {
        "DATABASE_URL": servers.database_url(process),
        "BROKER_URL": servers.broker_url(),
        "DJANGO_SETTINGS_MODULE": "config.settings.local",
        "EXFM_PROCESS": process,
        "EXFM_HOME": str(home),
        "OPENBLAS_NUM_THREADS": "1",  # as the launcher and the containers set it
        "PYTHONPATH": f"{ROOT / 'platform'}{os.pathsep}{ROOT}",
    }


def prepare(home: Path, size: Size) -> Filled:
    """Start the servers from `home`, migrate, and fill the database if it is empty."""
    os.environ.update(DJANGO_SETTINGS_MODULE="config.settings.local", EXFM_PROCESS="owner", EXFM_HOME=str(home))
    for path in (str(ROOT / "platform"), str(ROOT)):
        if path not in sys.path:
            sys.path.insert(0, path)
    from config.embedded.installation import Installation
    from config.embedded.servers import Servers

    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o755)
    place = Installation(home)
    place.secrets.get("secret_key")
    servers = Servers(place)
    servers.start()
    import django

    django.setup()
    from config.embedded.migrations import migrate_if_needed

    migrate_if_needed(servers.database_url("owner"))
    assert servers.postgres is not None
    mark = home / MARK
    if not mark.exists():
        began = time.perf_counter()
        with servers.postgres.connect("exfm") as connection:
            with connection.transaction():
                fill(connection, size, specs())
            connection.execute("ANALYZE")
            command = [sys.executable, "-m", "bench.api.figures"]
            subprocess.run(command, env=environment(home, servers, "worker"), check=True, cwd=ROOT)
            connection.execute("VACUUM ANALYZE")
        mark.write_text(json.dumps({**vars(size), "seconds": time.perf_counter() - began}))
    known = json.loads(mark.read_text())
    seconds = float(known.pop("seconds"))
    if known != vars(size):
        raise SystemExit(f"{home} holds another size: remove it, or name another folder.")
    with servers.postgres.connect("exfm") as connection:
        token = grant(connection)
    return Filled(home, servers, size, seconds, token)


def grant(connection: psycopg.Connection[Any]) -> str:
    """Write an owner's token of tenant 1 with all scopes and return its text."""
    from tenancy import tokens
    from tenancy.roles import PERMISSIONS

    secret = tokens.fresh()
    connection.execute(
        "INSERT INTO tenancy_apitoken (id, created_at, name, prefix, digest, scopes, user_id, tenant_id)"
        f" SELECT gen_random_uuid(), now(), 'bench', %s, %s, %s, {identity(USER, '1')}, {identity(TENANT, '1')}",
        [secret.prefix, secret.digest, sorted(PERMISSIONS)],
    )
    return secret.text


def specs() -> dict[str, str]:
    """JSON of the specs that all rows share."""
    from exfm_core.recipes import load

    recipe = load("synthetic")
    tenant = recipe.tenants[0]
    return {
        "schema": json.dumps(tenant.schema.to_json()),
        "vertical": json.dumps(tenant.vertical.to_json()),
        "foundation": json.dumps(recipe.foundation.to_json()),
    }
