"""The three database roles and their database. Safe to repeat; the embedded servers and production use the
same lines."""

from collections.abc import Mapping

from psycopg import Connection, sql

OWNER, APP, PLATFORM = "exfm_owner", "exfm_app", "exfm_platform"


class RoleError(RuntimeError):
    """A role cannot do its duty; the text says how to mend it."""


def create_roles(admin: Connection, passwords: Mapping[str, str]) -> None:
    """Make or renew the roles that may sign in and are neither superusers nor above row-level security.

    `admin` is in autocommit mode, as a superuser or a role with CREATEROLE. Only hashes of passwords travel.
    """
    for role in (OWNER, APP, PLATFORM):
        known = admin.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = %s", [role]).fetchone()
        if known and known[0]:
            raise RoleError(
                f"The role {role} stands above row-level security. Mend: ALTER ROLE {role} NOSUPERUSER NOBYPASSRLS;"
            )
        verb = sql.SQL("ALTER" if known else "CREATE")
        admin.execute(sql.SQL("{} ROLE {} LOGIN").format(verb, sql.Identifier(role)))
        if password := passwords.get(role):
            hashed = admin.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
            admin.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(hashed)))


def create_database(admin: Connection, name: str) -> None:
    """Make the database of `exfm_owner` unless it exists."""
    if admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
        admin.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(OWNER)))
        admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(OWNER)))


def grant_access(admin: Connection, name: str) -> None:
    """Let the roles into the database `name`, to which `admin` is connected.

    `exfm_platform` reads and writes every table that migrations make; migrations take away what must not change.
    `exfm_app` gets nothing here: each migration grants what the tenants' process needs.
    """
    database, owner, app, platform = map(sql.Identifier, (name, OWNER, APP, PLATFORM))
    defaults = "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT "
    for line in (
        "REVOKE ALL ON DATABASE {database} FROM PUBLIC",
        "GRANT ALL ON DATABASE {database} TO {owner}",
        "GRANT CONNECT ON DATABASE {database} TO {app}, {platform}",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        "GRANT ALL ON SCHEMA public TO {owner}",
        "GRANT USAGE ON SCHEMA public TO {app}, {platform}",
        defaults + "SELECT, INSERT, UPDATE, DELETE ON TABLES TO {platform}",
        defaults + "USAGE, SELECT ON SEQUENCES TO {platform}",
    ):
        admin.execute(sql.SQL(line).format(database=database, owner=owner, app=app, platform=platform))
