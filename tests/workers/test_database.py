"""A supervisor outlives a database that goes away for a moment, and gives up when it stays away."""

import pytest
from django.db import InterfaceError, OperationalError

from tenancy.scope import current_scope
from workers import database
from workers.database import DatabaseAway, patiently


class Flaky:
    """Fails as PostgreSQL's absence does, a few times."""

    def __init__(self, failures: int, error: type[Exception] = OperationalError) -> None:
        self.left, self.error = failures, error

    def __call__(self) -> str:
        if self.left:
            self.left -= 1
            raise self.error("server closed the connection unexpectedly")
        assert current_scope().tenant_id is None
        return "done"


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
@pytest.mark.django_db
def test_a_short_outage_is_waited_out(error):
    assert patiently("test", Flaky(2, error)) == "done"


@pytest.mark.django_db
def test_a_long_outage_ends_the_attempt(monkeypatch):
    monkeypatch.setattr(database, "PATIENCE_SECONDS", 0.0)
    with pytest.raises(DatabaseAway):
        patiently("test", Flaky(10**6))


@pytest.mark.django_db
def test_a_worker_that_leaves_does_not_wait():
    with pytest.raises(DatabaseAway):
        patiently("test", Flaky(10**6), give_up=lambda: True)
