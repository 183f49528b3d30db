"""Threads that deliver webhooks, apart from the pool that trains and plans."""

import threading
from typing import Final

import structlog
from django.db import Error as DatabaseError
from django.utils import timezone

from alerts import courier
from workers.bulletin import bulletin
from workers.database import DatabaseAway, patiently, platform_work

log = structlog.get_logger("exfm.workers")

HANDS: Final = 4


def deliver_next() -> bool:
    """Make one delivery that is due, holding no connection while the receiver is asked; False = nothing is due."""
    with platform_work("webhooks"):
        claim = courier.claim_next()
    if claim is None:
        return False
    started = timezone.now()
    answer = courier.send(claim)
    patiently("webhooks", lambda: courier.record(claim=claim, answer=answer, started=started))
    return True


class Hands:
    """Up to `most` threads, each of which delivers until nothing is due and then ends."""

    def __init__(self, most: int = HANDS) -> None:
        self.most = most
        self._busy = 0
        self._lock = threading.Lock()

    def call(self, wanted: int) -> None:
        """Make sure that `wanted` threads are at work, as far as there may be as many."""
        for number in range(min(wanted, self.most)):
            with self._lock:
                if self._busy >= self.most or bulletin.shutdown.is_set():
                    return
                self._busy += 1
            threading.Thread(target=self._work, name=f"webhooks-{number}", daemon=True).start()

    def _work(self) -> None:
        try:
            while not bulletin.shutdown.is_set():
                if not deliver_next():
                    return
        except (DatabaseError, DatabaseAway) as error:
            log.warning("deliveries wait for the database", error=str(error).strip()[:200])
        finally:
            with self._lock:
                self._busy -= 1


hands = Hands()
