"""How the suite spreads over processes (pytest-xdist). Each process has servers and folders of its own.

A file's tests stay together, since they may share a module's fixture; so do all tests that read the filled platform,
which takes longest to make. What starts whole platforms or kills processes goes first, so that no process ends late.
"""

import os

import pytest

FILLED = "filled_platform"
SLOW = ("chaos", "flow", "stack", "browser")


def pytest_xdist_auto_num_workers() -> int:
    """How many processes `-n auto` means: one core is left to the children that the tests start."""
    return max(1, min(3, len(os.sched_getaffinity(0)) - 1))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group by file, or by the filled platform; slow groups first, otherwise in the order they stand in."""
    slow: set[str] = set()
    for item in items:
        group = FILLED if FILLED in getattr(item, "fixturenames", ()) else item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(group))
        if group == FILLED or any(item.get_closest_marker(name) for name in SLOW):
            slow.add(group)

    def rank(item: pytest.Item) -> int:
        marker = item.get_closest_marker("xdist_group")
        return 0 if marker is not None and marker.args[0] in slow else 1

    items.sort(key=rank)
