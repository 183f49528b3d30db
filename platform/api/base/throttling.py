"""Rate limits per credential; the answer says in `Retry-After` when to come back.

Counts are kept in Valkey or Redis where there is one (the broker's server, or EXFM_CACHE_URL), so that all web
processes share them; while that is away, and without one, each process counts for itself.
"""

import math
import time

import structlog
from django.core.cache import caches
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from config.cache import CountingCache
from tenancy.addresses import client_address
from tenancy.tokens import TokenGrant

log = structlog.get_logger("exfm.api")

AWAY_SECONDS = 5.0
COUNTED = "exfm.counted"
"""In the scope of a request that was counted when it was asked for its body (`api.base.admission`)."""
_away_until = 0.0


class CredentialThrottle(SimpleRateThrottle):
    """Counts requests per token, else per user, else per network address, in windows that all processes share."""

    scope = "credential"
    duration: int
    num_requests: int
    _left: float

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count the request; one operation, so that processes that count at once lose none."""
        if self.rate is None or getattr(request._request, "scope", {}).get(COUNTED):
            return True
        window, passed = divmod(time.time(), self.duration)
        self._left = self.duration - passed
        count = counted(f"{self.get_cache_key(request, view)}:{int(window)}", seconds=self.duration)
        return count <= self.num_requests

    def wait(self) -> float:
        """Return the seconds until the next window."""
        return math.ceil(self._left)

    def get_cache_key(self, request: Request, view: APIView) -> str:
        """Return whose count this request belongs to."""
        if isinstance(request.auth, TokenGrant):
            return f"throttle:token:{request.auth.id}"
        if request.user is not None and request.user.is_authenticated:
            return f"throttle:user:{request.user.pk}"
        return f"throttle:address:{client_address(request._request)}"


class AnonymousThrottle(CredentialThrottle):
    """The tighter limit of addresses that anybody may call."""

    scope = "anonymous"

    def get_cache_key(self, request: Request, view: APIView) -> str:
        """Return the caller's network address."""
        return f"throttle:anonymous:{client_address(request._request)}"


def counted(key: str, *, seconds: int) -> int:
    """Add one to a shared count that lasts `seconds`; to this process's own while the shared one is away."""
    global _away_until
    if time.monotonic() >= _away_until:
        try:
            return _add(key, seconds, cache="default")
        except (RedisError, OSError) as error:
            _away_until = time.monotonic() + AWAY_SECONDS
            log.warning("cache_away", error=type(error).__name__)
    return _add(key, seconds, cache="process")


def _add(key: str, seconds: int, *, cache: str) -> int:
    store = caches[cache]
    if isinstance(store, CountingCache):
        return store.count(key, seconds)
    store.add(key, 0, timeout=seconds)
    try:
        return int(store.incr(key))
    except ValueError:  # it ended between the two
        return 1
