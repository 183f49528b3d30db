"""The cast, and the database role of the tenants' web process: every test here is under row-level security."""

import pytest

from tests.kit.cast import cast as cast


@pytest.fixture(autouse=True)
def _as_the_web_process(as_app: None) -> None:
    """Run as `exfm_app`."""
