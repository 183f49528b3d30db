"""Messages to the workers: sent after the commit, and never a reason to fail."""

import socket
from typing import Any

import pytest
from django.db import transaction
from structlog.testing import capture_logs

from catalog import tasks_out
from config.celery import app
from config.settings.queue import transport_options
from tenancy.ids import new_id

BROKER = ("127.0.0.1", 1)
"""Nobody listens there."""


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """Each time-out, in seconds, with which a broker that is away was called, under the settings of a platform."""
    address = "redis://{}:{}/0".format(*BROKER)
    for name in ("broker_url", "broker_write_url"):
        monkeypatch.setattr(app.conf, name, address)
    for name, value in transport_options(address).items():
        monkeypatch.setitem(app.conf.broker_transport_options, name, value)
    monkeypatch.setattr(app, "_pool", None)
    monkeypatch.setattr(app.amqp, "_producer_pool", None)
    made: list[float | None] = []

    def connect(this: socket.socket, place: Any) -> None:
        if place == BROKER:
            made.append(this.gettimeout())
        plain(this, place)

    plain = socket.socket.connect
    monkeypatch.setattr(socket.socket, "connect", connect)
    return made


def test_a_broker_that_is_away_costs_neither_the_upload_nor_long(tries: list[float | None]) -> None:
    """Called at most twice, two seconds each: refused at once, as here, or not answered at all."""
    with capture_logs() as logs:
        tasks_out.validate_now(partition_id=new_id(), tenant_id=new_id())
    assert [entry["task"] for entry in logs] == ["catalog.validate_partition"]
    assert 1 <= len(tries) <= 2
    assert set(tries) == {2}


@pytest.mark.django_db(transaction=True)
def test_nothing_is_sent_for_a_change_that_was_rolled_back(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(app, "send_task", lambda name, **_: sent.append(name))
    with pytest.raises(RuntimeError), transaction.atomic():
        tasks_out.validate_on_commit(partition_id=new_id(), tenant_id=new_id())
        raise RuntimeError
    assert sent == []
    with transaction.atomic():
        tasks_out.validate_on_commit(partition_id=new_id(), tenant_id=new_id())
        assert sent == []
    assert sent == ["catalog.validate_partition"]
