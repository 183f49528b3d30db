"""How the suite spreads over processes (pytest-xdist). Each process has servers and folders of its own.

A file's tests stay together, in their order, since they may share a module's fixture; so do all tests on the filled
platform, which takes longest to make and on which each may see what another left. What starts whole platforms or kills
processes goes first, so that no process ends late.
"""

import os
from collections.abc import Sequence
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

FILLED = "filled_platform"
ON_THE_FILLED = ("tests/docs/test_client.py", "tests/docs/test_guide.py", "tests/e2e/", "tests/flows/")
"""Folders and files of the tests that use it: the process that hands out the tests knows their names only."""
SLOW = ("chaos", "flow", "stack", "browser")


class Together(LoadScopeScheduling):
    """Hands tests out by group. What pytest-xdist itself does for `loadgroup`, to mark the names of the tests, pytest
    9.2 does not let it do any more: each test would then go to any process."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


def group(nodeid: str) -> str:
    """Return what a test stays together with: its file, or all that stand on the filled platform."""
    return FILLED if nodeid.startswith(ON_THE_FILLED) else nodeid.partition("::")[0]


def pytest_xdist_auto_num_workers() -> int:
    """How many processes `-n auto` means: one core is left to the children that the tests start."""
    return max(1, min(3, len(os.sched_getaffinity(0)) - 1))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together | None:
    """Hand out by group where `--dist loadgroup` asks for it."""
    return Together(config, log) if config.getvalue("dist") == "loadgroup" else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow groups first, that of the filled platform before the others; otherwise in the order they stand in."""
    slow = {group(item.nodeid) for item in items if any(map(item.get_closest_marker, SLOW))}
    items.sort(key=lambda item: (group(item.nodeid) != FILLED, group(item.nodeid) not in slow))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a test that uses the filled platform elsewhere than `ON_THE_FILLED` says."""
    if _is_filled(item) and group(item.nodeid) != FILLED:
        pytest.fail(f"Add {item.nodeid.partition('::')[0]} to ON_THE_FILLED in tests/kit/parallel.py.", pytrace=False)


def _is_filled(item: pytest.Item) -> bool:
    names: Sequence[str] = getattr(item, "fixturenames", ())
    return FILLED in names
