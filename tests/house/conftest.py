"""One running platform for the tests of this folder that only look at it."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.launching import Launched
from tests.kit.ports import free_port_pair


@pytest.fixture
def home() -> Iterator[Path]:
    """A fresh data folder that the servers' account can reach."""
    folder = Path(tempfile.mkdtemp(prefix="exfm-house-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="package")
def up() -> Iterator[Launched]:
    """The whole platform, started as a person would."""
    folder = Path(tempfile.mkdtemp(prefix="exfm-house-"))
    folder.chmod(0o755)
    launched = Launched(folder, free_port_pair())
    try:
        yield launched.ready()
    finally:
        launched.stop()
        shutil.rmtree(folder, ignore_errors=True)
