"""Wakes supervisors: one LISTEN connection per worker process, and the news that the worker is shutting down."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
import structlog
from django.db import connection

from runs.nudges import WORK_CHANNEL

log = structlog.get_logger("exfm.workers")

RETRY_SECONDS: Final = 2.0
_CONNECTION: Final = ("dbname", "user", "password", "host", "port", "sslmode", "sslrootcert")


class Wake:
    """A message to a supervisor: look again."""


class Bulletin:
    """Passes wake-ups on to every subscribed inbox. Lost notifications cost a poll's delay and nothing else."""

    def __init__(self) -> None:
        self.shutdown = threading.Event()
        self._inboxes: set[queue.Queue[Any]] = set()
        self._lock = threading.Lock()
        self.listener: threading.Thread | None = None

    @contextmanager
    def subscribed(self, inbox: "queue.Queue[Any]") -> Iterator[None]:
        """Deliver wake-ups to `inbox` for the length of the block."""
        with self._lock:
            self._inboxes.add(inbox)
        try:
            yield
        finally:
            with self._lock:
                self._inboxes.discard(inbox)

    def wake(self) -> None:
        """Put a Wake into every inbox."""
        with self._lock:
            for inbox in self._inboxes:
                inbox.put(Wake())

    def begin_shutdown(self) -> None:
        """The worker is asked to leave: every supervisor stops its child at the next batch."""
        self.shutdown.set()
        self.wake()

    def start(self) -> None:
        """Start listening, once."""
        if self.listener is None or not self.listener.is_alive():
            self.listener = threading.Thread(target=self._listen_for_ever, name="bulletin", daemon=True)
            self.listener.start()

    def _listen_for_ever(self) -> None:
        deaf = False
        while not self.shutdown.is_set():
            try:
                with self._session() as session:
                    deaf = False
                    self._pass_on(session)
            except psycopg.Error as error:
                if not deaf:
                    # Said once: an outage of minutes must not fill the log.
                    log.warning("not listening; supervisors poll until it works again", error=str(error).strip()[:200])
                deaf = True
                self.shutdown.wait(RETRY_SECONDS)

    def _session(self) -> "psycopg.Connection[Any]":
        settings = {k: v for k, v in connection.get_connection_params().items() if k in _CONNECTION and v}
        return psycopg.connect(**settings, autocommit=True)

    def _pass_on(self, session: "psycopg.Connection[Any]") -> None:
        session.execute(f"LISTEN {WORK_CHANNEL}")
        while not self.shutdown.is_set():
            for _ in session.notifies(timeout=1.0, stop_after=1):
                self.wake()


bulletin = Bulletin()
