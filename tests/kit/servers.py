"""Real servers for the suite: PostgreSQL and Valkey from wheels in a folder that goes away, the same runners
as the platform's."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.embedded.installation import DATABASE, Installation
from config.embedded.postgres import SUPERUSER, Postgres
from config.embedded.servers import prepare
from config.embedded.valkey import Valkey

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""No durability: the suite throws its cluster away. Tests that kill PostgreSQL start their own with the
platform's settings."""


@contextmanager
def temporary_installation() -> Iterator[Installation]:
    """Yield an installation in a fresh short-named folder (unix socket paths are limited), removed afterwards."""
    home = Path(tempfile.mkdtemp(prefix="exfm-"))
    home.chmod(0o755)
    try:
        yield Installation(home)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def postgres_server(place: Installation, port: int | None = None) -> Iterator[Postgres]:
    """Run PostgreSQL with the three roles and the empty database."""
    server = Postgres(place, settings=FAST, port=port).start()
    try:
        prepare(server)
        yield server
    finally:
        server.stop()


@contextmanager
def valkey_server(place: Installation, port: int = 0) -> Iterator[Valkey]:
    """Run Valkey."""
    server = Valkey(place, port=port).start()
    try:
        yield server
    finally:
        server.stop()


def superuser_settings(server: Postgres) -> dict[str, object]:
    """Return Django's settings of a superuser's connection; tests lower it with `SET ROLE` (tests/kit/roles.py)."""
    return {
        "NAME": DATABASE,
        "USER": SUPERUSER,
        "PASSWORD": server.place.secrets.read(f"{SUPERUSER}_password"),
        "HOST": str(server.place.run),
        "PORT": server.settings["port"],
    }
