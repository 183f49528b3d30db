"""Every test of runs acts as the platform: supervisors, planner and dispatcher do."""

from collections.abc import Iterator

import pytest

from tenancy.scope import platform_scope


@pytest.fixture(autouse=True)
def _platform(db: None) -> Iterator[None]:
    with platform_scope("test"):
        yield
