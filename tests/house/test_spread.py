"""The suite's own spreading over processes: what must stay together does, in a small suite of the same shape."""

import collections
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.launching import ROOT
from tests.kit import parallel
from tests.kit.patience import PATIENCE

CONFTEST = """
import pytest
from tests.kit.parallel import pytest_collection_modifyitems, pytest_runtest_setup, pytest_xdist_make_scheduler

@pytest.fixture(scope="session")
def filled_platform():
    pass
"""
TESTS = """
import os, pathlib, pytest

@pytest.mark.parametrize("number", range(8))
def test_it(number, {fixture}):
    with pathlib.Path(os.environ["SEEN"]).open("a") as seen:
        seen.write(f"{{os.environ['PYTEST_XDIST_WORKER']}} {{__file__}} {{number}}\\n")
"""


def run(folder: Path, files: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run a suite of these files, each with the fixture it uses, in two processes."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "conftest.py").write_text(CONFTEST)
    for name, fixture in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(TESTS.format(fixture=fixture))
    options = ["-p", "no:django", "-p", "no:cacheprovider", "--import-mode=importlib"]
    spread = ["-n", "2", "--dist", "loadgroup", "--no-loadscope-reorder"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *spread, "."],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT), "SEEN": str(folder / "seen")},
        capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip


def test_a_file_stays_together_in_order_and_so_does_all_that_stands_on_the_filled_platform(tmp_path: Path) -> None:
    plain = {f"tests/test_{name}.py": "tmp_path" for name in "abc"}
    filled = {f"tests/e2e/test_{name}.py": "filled_platform" for name in "de"}
    done = run(tmp_path, plain | filled)
    assert done.returncode == 0, done.stdout + done.stderr
    workers, order = collections.defaultdict(set), collections.defaultdict(list)
    for line in (tmp_path / "seen").read_text().splitlines():
        worker, file, number = line.split()
        name = str(Path(file).relative_to(tmp_path))
        workers[parallel.group(name)].add(worker)
        order[name].append(int(number))
    assert set(workers) == {parallel.FILLED, *plain}
    assert {group: len(found) for group, found in workers.items()} == dict.fromkeys(workers, 1)
    assert dict(order) == {name: list(range(8)) for name in plain | filled}


def test_who_uses_the_filled_platform_unnoticed_is_named(tmp_path: Path) -> None:
    done = run(tmp_path, {"tests/test_stranger.py": "filled_platform"})
    assert done.returncode != 0
    assert "Add tests/test_stranger.py to ON_THE_FILLED in tests/kit/parallel.py." in done.stdout


@pytest.mark.parametrize("place", parallel.ON_THE_FILLED)
def test_what_is_listed_is_there(place: str) -> None:
    assert (ROOT / place).exists()
