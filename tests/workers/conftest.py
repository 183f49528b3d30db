"""Supervisors of this folder's tests listen on the suite's database; they stop before it does."""

from collections.abc import Iterator

import pytest

from workers.bulletin import bulletin


@pytest.fixture
def listening(db: None) -> None:
    """Wake-ups reach supervisors, as in a worker."""
    bulletin.start()


@pytest.fixture(scope="session", autouse=True)
def _quiet(postgres: object) -> Iterator[None]:
    yield
    bulletin.begin_shutdown()
    if bulletin.listener is not None:
        bulletin.listener.join(5)
