"""`manage.py down`: stops the platform of this folder, and servers that a killed launcher left."""

import signal
import time
from contextlib import suppress
from typing import Any

import psutil
from django.core.management.base import BaseCommand, CommandError

from config import env
from config.embedded.installation import Installation
from config.embedded.postgres import Postgres
from config.embedded.record import Record, end_leftovers, find
from config.embedded.valkey import Valkey

WAIT_SECONDS = 20


class Command(BaseCommand):
    """Asks a running launcher to stop; without one, stops what it left."""

    help = "Stop the platform that runs from EXFM_HOME."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Stop, and say what was stopped."""
        place = Installation(env.home())
        if not place.home.exists():
            self.stdout.write(f"Nothing runs from {place.home}.")
            return
        record = Record(place.home)
        if launcher := find(record.read().get("launcher", {})):
            launcher.send_signal(signal.SIGTERM)
            with suppress(psutil.TimeoutExpired):
                launcher.wait(WAIT_SECONDS)
        until = time.monotonic() + 2
        while not record.take():
            if time.monotonic() > until:
                raise CommandError(f"A launcher still runs from {place.home}. End the terminal it runs in with Ctrl-C.")
            time.sleep(0.05)
        stopped = ["the launcher"] if launcher else []
        stopped += end_leftovers(record.read())
        valkey, postgres = Valkey(place), Postgres(place)
        if valkey.answers():
            valkey.stop()
            stopped.append("Valkey")
        if postgres.pid() is not None:
            postgres.stop()
            stopped.append("PostgreSQL")
        record.clear()
        record.release()
        self.stdout.write(f"Stopped {', '.join(stopped)}." if stopped else f"Nothing runs from {place.home}.")
