"""Messages to the workers: sent after the commit, and never a reason to fail."""

import time

import pytest
from django.db import transaction
from structlog.testing import capture_logs

from catalog import tasks_out
from config.celery import app
from tenancy.ids import new_id


@pytest.fixture
def closed_broker(monkeypatch: pytest.MonkeyPatch):
    """A broker's address on which nobody listens."""
    monkeypatch.setattr(app.conf, "broker_url", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(app.conf, "broker_write_url", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(app, "_pool", None)
    monkeypatch.setattr(app.amqp, "_producer_pool", None)


def test_a_broker_that_is_away_costs_neither_the_upload_nor_long(closed_broker: None) -> None:
    began = time.monotonic()
    with capture_logs() as logs:
        tasks_out.validate_now(partition_id=new_id(), tenant_id=new_id())
    assert time.monotonic() - began < 5
    assert [entry["task"] for entry in logs] == ["catalog.validate_partition"]


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
