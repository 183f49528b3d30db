"""The servers of one installation: the embedded ones, or outside ones that the environment names."""

import os
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from config.embedded import roles
from config.embedded.installation import DATABASE, ROLES, Installation
from config.embedded.postgres import Postgres
from config.embedded.valkey import Valkey

OUTSIDE = {"owner": "DATABASE_URL_OWNER", "app": "DATABASE_URL_APP", "platform": "DATABASE_URL_PLATFORM"}


class Servers:
    """Starts what is embedded and tells every process its own addresses."""

    def __init__(self, place: Installation) -> None:
        self.place = place
        self.outside_database = all(os.environ.get(name) for name in OUTSIDE.values())
        self.outside_broker = os.environ.get("BROKER_URL", "")
        self.postgres = None if self.outside_database else Postgres(place)
        self.valkey = None if self.outside_broker else Valkey(place)

    def start(self) -> None:
        """Start or adopt the servers side by side; make roles and database."""
        with ThreadPoolExecutor(2) as pool:
            jobs = [pool.submit(server.start) for server in (self.postgres, self.valkey) if server]
            for job in jobs:
                job.result()
        if self.postgres:
            prepare(self.postgres)

    def stop(self) -> None:
        """Stop the embedded servers, the broker first."""
        for server in (self.valkey, self.postgres):
            if server:
                server.stop()

    def database_url(self, process: str) -> str:
        """Return the address with the process's own credential."""
        if self.outside_database:
            return os.environ[OUTSIDE[ROLES[process].removeprefix("exfm_")]]
        return self.place.database_url(process)

    def broker_url(self) -> str:
        """Return the broker's address."""
        return self.outside_broker or self.place.broker_url()

    def describe(self) -> str:
        """Name the servers without passwords."""
        database = (
            urlsplit(self.database_url("web")).hostname
            if self.outside_database
            else f"PostgreSQL in {self.place.servers}"
        )
        broker = urlsplit(self.outside_broker).hostname if self.outside_broker else "Valkey beside it"
        return f"{database}, {broker}"


def prepare(server: Postgres) -> None:
    """Make the roles with the installation's passwords, the database and its grants; safe to repeat."""
    secrets = server.place.secrets
    with server.connect() as admin:
        roles.create_roles(
            admin, {role: secrets.get(f"{role}_password") for role in (roles.OWNER, roles.APP, roles.PLATFORM)}
        )
        roles.create_database(admin, DATABASE)
    with server.connect(DATABASE) as admin:
        roles.grant_access(admin, DATABASE)
