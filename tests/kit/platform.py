"""A whole platform for tests: real servers, processes and children, filled by the tiny recipe through the API."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from config.embedded.installation import Installation
from exfm_core.recipes import load
from scripts.demo.client import Client
from scripts.demo.launcher import Platform
from scripts.demo.scenario import Credentials, Scenario
from tests.kit.ports import free_port_pair


@dataclass
class Running:
    """A platform that is up, and what was done on it."""

    platform: Platform
    scenario: Scenario
    credentials: Credentials

    def connect(self) -> psycopg.Connection[Any]:
        """Open the platform's database with the role that sees all rows."""
        return psycopg.connect(Installation(self.platform.home).database_url("admin"), autocommit=True)

    def again(self) -> Scenario:
        """Return the same scenario anew, as a second start of the demo would drive it."""
        seen = self.scenario
        return Scenario(seen.recipe, web=seen.web, admin=seen.admin, credentials=self.credentials)


@contextmanager
def home() -> Iterator[Path]:
    """A data folder that the database's account can reach, removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="exfm-test-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running(folder: Path, dataset: str = "tiny") -> Iterator[Running]:
    """Start a platform in `folder`, ready for the recipe; the caller decides when to run it."""
    platform = Platform(home=folder, port=free_port_pair())
    platform.start()
    try:
        credentials = Credentials(folder / "secrets" / "demo.json")
        admin = Client(platform.admin, platform.admin_token())
        scenario = Scenario(load(dataset), web=platform.web, admin=admin, credentials=credentials)
        yield Running(platform, scenario, credentials)
    finally:
        platform.stop()


@pytest.fixture(scope="session")
def filled_platform() -> Iterator[Running]:
    """A platform on which the tiny recipe has run to its end. Tests may read and sign in, but change nothing of the
    recipe's; tenants and foundation models of their own are welcome if no run of theirs stays open."""
    with home() as folder, running(folder) as platform:
        platform.scenario.set_up()
        platform.scenario.run()
        yield platform
