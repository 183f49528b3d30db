"""What a supervisor tells people while it works: progress at most once a second, metric points, the log's tail."""

import time
from typing import Any, Final

from django.db import Error as DatabaseError

from exfm_core import events
from runs.claims import Task
from runs.leases import Lease
from runs.models import Attempt, Run
from runs.outlook import Outlook, outlook
from runs.progress import MetricPoints, committed_count, write_progress
from workers.database import platform_work

EVERY_SECONDS: Final = 1.0


class Reporter:
    """Progress of one attempt. For display only: losing a report loses nothing, so its errors are dropped."""

    def __init__(self, lease: Lease, run: Run) -> None:
        self.lease, self.run_row = lease, run
        self.points = MetricPoints(lease, run.tenant_id)
        self.rest = Outlook(0, 0)
        self.done = 0
        self.rows_before = 0
        self.unit: dict[str, Any] = {}
        self.rate: float | None = None
        self.metrics: dict[str, float] = {}
        self.next_write = 0.0
        self.kept_log = ""

    def begin(self, task: Task) -> None:
        """A unit begins: count what is behind it and ahead of it."""
        claim = task.claim
        start = claim.partition.start if claim.partition is not None else claim.period_start
        self.done = committed_count(self.run_row.id)
        self.rest = outlook(self.run_row, claim)
        self.unit = {
            "partition": str(claim.partition_id) if claim.partition_id else None,
            "start": start.isoformat() if start else None,
            "rows": 0,
            "rows_total": task.rows,
        }
        write_progress(lease=self.lease, payload=self.payload())

    def progress(self, event: events.Progress) -> None:
        """The child reports rows and live metrics."""
        self.unit |= {"rows": event.rows, "rows_total": event.rows_total}
        self.rate = event.rows_per_s or self.rate
        self.metrics = dict(event.metrics)
        for name, value in event.metrics.items():
            self.points.add(name, self.rows_before + event.rows, value)
        if time.monotonic() >= self.next_write:
            self.next_write = time.monotonic() + EVERY_SECONDS
            self._write()

    def committed(self) -> None:
        """A unit is durable: show it, and write the metric points that led to it."""
        self.done += 1
        self.rows_before += int(self.unit.get("rows_total") or 0)
        self.unit |= {"rows": self.unit.get("rows_total")}
        write_progress(lease=self.lease, payload=self.payload())
        self.points.flush()

    def keep_log(self, tail: str) -> None:
        """Store the log's tail so that the run's page can show it while the child lives."""
        if tail == self.kept_log:
            return
        self.kept_log = tail
        try:
            with platform_work("supervisor"):
                Attempt.objects.filter(id=self.lease.attempt_id).update(log_tail=tail)
        except DatabaseError:
            self.kept_log = ""

    def payload(self) -> dict[str, Any]:
        """The run's `progress` as the API gives it."""
        left = max(0, int(self.unit.get("rows_total") or 0) - int(self.unit.get("rows") or 0)) + self.rest.rows
        return self.unit | {
            "rows_per_s": round(self.rate, 1) if self.rate else None,
            "done": self.done,
            "planned": max(self.done, self.done + 1 + self.rest.units if left else self.done),
            "eta_seconds": round(left / self.rate, 1) if self.rate else None,
            "metrics": self.metrics,
        }

    def _write(self) -> None:
        try:
            with platform_work("supervisor"):
                write_progress(lease=self.lease, payload=self.payload())
        except DatabaseError:
            return
