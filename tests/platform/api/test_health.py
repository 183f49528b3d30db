"""Alive is not ready: readiness asks for the right database role, the migrations and the broker."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from tests.kit.roles import OWNER, PLATFORM, database_role


def ready(status: int) -> dict[str, Any]:
    """Ask and return the body."""
    answer = Client().get("/readyz")
    assert answer.status_code == status, answer.content
    body: dict[str, Any] = answer.json()
    return body


@pytest.fixture(autouse=True)
def _web(settings: Any) -> None:
    settings.EXFM_PROCESS = "web"


def test_alive_asks_nobody(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert Client().get("/healthz").content == b"ok\n"


def test_ready_with_role_migrations_and_broker(broker_url: str, settings: Any) -> None:
    body = ready(200)
    assert body["status"] == "ready"
    assert [check["name"] for check in body["checks"]] == ["database", "migrations", "broker"]


def test_another_processs_role_is_not_ready() -> None:
    with database_role(PLATFORM):
        body = ready(503)
    assert "exfm_app" in body["detail"]


def test_a_superuser_is_not_ready() -> None:
    with database_role(None):
        body = ready(503)
    assert "row-level security" in body["detail"]


def test_missing_migrations_are_counted_with_the_command_that_mends_it() -> None:
    with database_role(OWNER), connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'tenancy' AND name = '0003_django_tables'")
    body = ready(503)
    assert body["detail"] == "1 migrations are not applied. Run `manage.py migrate`."


def test_a_database_that_is_away_is_told_at_once(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "HOST", "/nowhere")
    body = ready(503)
    assert body["detail"] == "The database does not answer. Start it, or correct DATABASE_URL."
    assert [check["name"] for check in body["checks"]] == ["database", "broker"]


def test_a_broker_that_does_not_answer_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    from config.celery import app

    with monkeypatch.context() as patch:
        patch.setattr(app.conf, "broker_url", "redis+socket:///nowhere/valkey.sock")
        patch.setattr(app.conf, "broker_write_url", "redis+socket:///nowhere/valkey.sock")
        body = ready(503)
    assert "broker" in body["detail"]
    assert "BROKER_URL" in body["detail"]
