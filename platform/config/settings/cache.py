"""Shared counts of the rate limits: Valkey or Redis, database 1 (the broker's messages are in 0)."""

from typing import Any

from redis.backoff import NoBackoff
from redis.retry import Retry

_PROCESS: dict[str, Any] = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "process"}


def caches(url: str) -> dict[str, dict[str, Any]]:
    """Return CACHES for a Redis address, also in Celery's form of a socket's; any other broker shares nothing."""
    if url.startswith("redis+socket://"):
        url = "unix://" + url.removeprefix("redis+socket://").split("?")[0]
    if not url.startswith(("redis://", "rediss://", "unix://")):
        return {"default": _PROCESS, "process": _PROCESS}
    options = {
        "db": 1,
        "socket_timeout": 0.5,
        "socket_connect_timeout": 0.5,
        "retry": Retry(NoBackoff(), 0),
    }
    shared = {
        "BACKEND": "config.cache.CountingCache",
        "LOCATION": url,
        "KEY_PREFIX": "exfm",
        "OPTIONS": options,
    }
    return {"default": shared, "process": _PROCESS}
