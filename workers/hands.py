"""Threads for work that may take long, apart from the pool that trains and plans."""

import threading
from collections.abc import Callable

import structlog
from django.db import Error as DatabaseError

from workers.bulletin import bulletin
from workers.database import DatabaseAway

log = structlog.get_logger("exfm.workers")


class Hands:
    """Up to `most` threads, each of which calls `work` until that returns False, nothing to do, and then ends."""

    def __init__(self, work: Callable[[], bool], *, most: int, name: str) -> None:
        self.most = most
        self._work = work
        self._name = name
        self._busy = 0
        self._lock = threading.Lock()

    def call(self, wanted: int) -> None:
        """Make sure that `wanted` threads are at work, as far as there may be as many."""
        for number in range(min(wanted, self.most)):
            with self._lock:
                if self._busy >= self.most or bulletin.shutdown.is_set():
                    return
                self._busy += 1
            threading.Thread(target=self._until_done, name=f"{self._name}-{number}", daemon=True).start()

    def _until_done(self) -> None:
        try:
            while not bulletin.shutdown.is_set():
                if not self._work():
                    return
        except (DatabaseError, DatabaseAway) as error:
            log.warning("work waits for the database", hands=self._name, error=str(error).strip()[:200])
        finally:
            with self._lock:
                self._busy -= 1
