"""`manage.py create_roles`: the three roles and the database on a server of your own."""

import os
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError

from config import env
from config.embedded import roles
from config.embedded.servers import OUTSIDE


class Command(BaseCommand):
    """Reads DATABASE_URL_ADMIN (a superuser, or a role with CREATEROLE and CREATEDB) and the three roles' addresses."""

    help = "Make the roles with the passwords of DATABASE_URL_OWNER, …_APP and …_PLATFORM. Safe to repeat."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the roles, the database and its grants."""
        admin_url = os.environ.get("DATABASE_URL_ADMIN", "")
        missing = [name for name in ("DATABASE_URL_ADMIN", *OUTSIDE.values()) if not os.environ.get(name)]
        if missing:
            raise CommandError(f"{', '.join(missing)} not set. .env.example shows a value for each.")
        wanted = {name: env.database(os.environ[variable]) for name, variable in OUTSIDE.items()}
        for name, address in wanted.items():
            if address["USER"] != f"exfm_{name}":
                raise CommandError(f"{OUTSIDE[name]} signs in as {address['USER']!r}; it must be exfm_{name}.")
        database = str(wanted["owner"]["NAME"])
        if {address["NAME"] for address in wanted.values()} != {database}:
            raise CommandError(f"{', '.join(OUTSIDE.values())} name different databases; they must name one.")
        try:
            with psycopg.connect(admin_url, autocommit=True) as admin:
                roles.create_roles(
                    admin, {str(address["USER"]): str(address["PASSWORD"]) for address in wanted.values()}
                )
                roles.create_database(admin, database)
            with psycopg.connect(admin_url, dbname=database, autocommit=True) as admin:
                roles.grant_access(admin, database)
        except (psycopg.Error, roles.RoleError) as problem:
            raise CommandError(
                f"{str(problem).strip()} Check DATABASE_URL_ADMIN and run `manage.py create_roles` again."
            ) from None
        self.stdout.write(f"Roles exfm_owner, exfm_app and exfm_platform may use the database {database}.")
