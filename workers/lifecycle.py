"""A worker's own life: it reports its slots while it lives, and tells its supervisors when it is asked to leave."""

import os
import socket
import threading
from typing import Any, Final

import structlog
from celery.signals import worker_ready, worker_shutdown, worker_shutting_down
from django.db import Error as DatabaseError
from django.utils import timezone

from config import env
from runs.models import WorkerNode
from runs.nudges import dispatch_soon
from workers.bulletin import bulletin
from workers.database import platform_work

log = structlog.get_logger("exfm.workers")

REPORT_SECONDS: Final = 5.0
SPARE_THREADS: Final = 2


def slots(threads: int) -> int:
    """Return how many runs this worker supervises at once (EXFM_SLOTS; by default twice its cores, at least 8).

    More than cores, because at any time most children wait: students for labels, the teacher for the next period.
    Never more than its `threads` allow: a run holds one, and the short tasks need some too.
    """
    wanted = env.number("EXFM_SLOTS", max(8, 2 * (os.cpu_count() or 1)))
    return max(1, min(wanted, threads - SPARE_THREADS))


class Capacity:
    """Reports this worker's slots every few seconds, for the dispatcher."""

    def __init__(self) -> None:
        self.name = f"worker@{socket.gethostname()}"
        self.slots = 1

    def start(self, name: str, threads: int) -> None:
        """Begin to report under the worker's name, which a restarted worker takes over."""
        self.name, self.slots = name, slots(threads)
        threading.Thread(target=self._report_for_ever, name="capacity", daemon=True).start()

    def _report_for_ever(self) -> None:
        first = True
        while not bulletin.shutdown.is_set():
            try:
                with platform_work("capacity"):
                    self.report()
                if first:
                    dispatch_soon()
                first = False
            except DatabaseError as error:
                log.warning("capacity not reported", error=str(error).strip()[:200])
            bulletin.shutdown.wait(REPORT_SECONDS)

    def report(self) -> None:
        """Write this worker's row."""
        WorkerNode.objects.update_or_create(
            name=self.name, defaults={"slots": self.slots, "seen_at": timezone.now(), "flavor": "cpu"}
        )

    def withdraw(self) -> None:
        """Take this worker's slots away at once: nothing is admitted for it any more."""
        try:
            with platform_work("capacity"):
                WorkerNode.objects.filter(name=self.name).delete()
        except DatabaseError as error:
            log.warning("capacity not withdrawn", error=str(error).strip()[:200])


capacity = Capacity()


@worker_ready.connect
def on_ready(sender: Any = None, **_: Any) -> None:
    """The worker consumes: report its slots and listen for wake-ups."""
    bulletin.start()
    threads = getattr(getattr(sender, "pool", None), "limit", None) or 1
    capacity.start(str(getattr(sender, "hostname", capacity.name)), int(threads))


@worker_shutting_down.connect
def on_shutting_down(**_: Any) -> None:
    """SIGTERM: supervisors stop their children at the next batch and send their runs back to the queue."""
    # Called inside a signal handler: the locks below must not be waited for in the thread that may hold them.
    threading.Thread(target=_leave, name="leave", daemon=True).start()


def _leave() -> None:
    bulletin.begin_shutdown()
    capacity.withdraw()


@worker_shutdown.connect
def on_shutdown(**_: Any) -> None:
    """The pool is empty: nothing of ours is left to do."""
    bulletin.shutdown.set()
