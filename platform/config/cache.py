"""Django's cache on Valkey or Redis with a counter in one round trip."""

from functools import cached_property

from django.core.cache.backends.redis import RedisCache
from redis import Redis


class CountingCache(RedisCache):
    """`add` and `incr` are four round trips, each with a new client; a rate limit counts on every request."""

    @cached_property
    def _client(self) -> Redis:
        client: Redis = self._cache.get_client(None, write=True)
        return client

    def count(self, key: str, seconds: int) -> int:
        """Add one to a count that is forgotten `seconds` after it was last added to, and return it."""
        name = self.make_and_validate_key(key)
        pipeline = self._client.pipeline(transaction=False)
        pipeline.incr(name)
        pipeline.expire(name, seconds)
        return int(pipeline.execute()[0])
