"""Rate limits count over all web processes, and still count while the shared count is away."""

from typing import Any

import pytest
from django.core.cache import cache, caches
from django.test import override_settings

from api.base import throttling
from config.settings.cache import caches as cache_settings
from tests.kit.api import Api, problem


def test_addresses_of_the_cache() -> None:
    unix = cache_settings("redis+socket:///run/valkey.sock")["default"]
    assert unix["LOCATION"] == "unix:///run/valkey.sock"
    assert unix["OPTIONS"]["db"] == 1, "the broker's messages are in database 0, and clearing a cache empties its own"
    assert "LocMem" in cache_settings("amqp://broker//")["default"]["BACKEND"]


def test_two_processes_share_one_count(broker_url: str) -> None:
    with override_settings(CACHES=cache_settings(broker_url)):
        first, second = caches["default"], caches.create_connection("default")
        first.clear()
        assert throttling.counted("test:shared", seconds=60) == 1
        assert second.incr("test:shared") == 2
        assert throttling.counted("test:shared", seconds=60) == 3


def test_while_the_shared_count_is_away_the_process_counts(monkeypatch: Any) -> None:
    monkeypatch.setattr(throttling, "_away_until", 0.0)
    with override_settings(CACHES=cache_settings("redis+socket:///nowhere/valkey.sock")):
        counts = [throttling.counted("test:away", seconds=60) for _ in range(3)]
    assert counts == [1, 2, 3]
    assert throttling._away_until > 0


@pytest.mark.django_db
def test_too_many_are_told_when_to_come_back(monkeypatch: Any, as_app: None) -> None:
    cache.clear()
    monkeypatch.setattr(throttling.AnonymousThrottle, "get_rate", lambda self: "3/min")
    for _ in range(6):  # a window may end in between
        late = Api().post("session", {"email": "x@example.com", "password": "y"})
        if late.status_code == 429:
            break
    problem(late, 429, "throttled")
    assert 1 <= int(late.headers["Retry-After"]) <= 60
