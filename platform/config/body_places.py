"""Places for long bodies: a process receives so many at a time, a tenant a part of them; the rest come again later."""

import threading
from collections import Counter


class NoPlace(Exception):
    """As many long bodies as may come at a time are under way."""


class Places:
    """`most` in all, `most_each` (a quarter of them by default) for one tenant. For threads, and for an event loop."""

    def __init__(self, most: int, most_each: int | None = None) -> None:
        self._most = most
        self._most_each = max(1, most // 4) if most_each is None else most_each
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, tenant: str) -> bool:
        """Take a place, to be given back; False where there is none."""
        with self._lock:
            free = self._taken.total() < self._most and self._taken[tenant] < self._most_each
            if free:
                self._taken[tenant] += 1
            return free

    def give_back(self, tenant: str) -> None:
        """Leave a place."""
        with self._lock:
            self._taken[tenant] -= 1
            if not self._taken[tenant]:
                del self._taken[tenant]
