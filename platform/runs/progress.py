"""Live progress of a held run: a small JSON on its row, and chunks of metric points. Display only."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import transaction

from runs import nudges
from runs.leases import Lease
from runs.models import MetricChunk, Run, WorkClaim
from runs.states import LEASED

CHUNK: Final = 1000


def write_progress(*, lease: Lease, payload: dict[str, Any]) -> None:
    """Store the payload if the lease is still held, and tell browsers."""
    with transaction.atomic():
        rows = Run.objects.filter(id=lease.run_id, lease_token=lease.token, state__in=LEASED)
        if rows.update(progress=payload):
            nudges.announce(Run.objects.only("id", "tenant_id").get(id=lease.run_id))


def committed_count(run_id: Any) -> int:
    """Return how many units the run has committed."""
    return WorkClaim.objects.filter(run_id=run_id, committed_at__isnull=False).count()


@dataclass
class MetricPoints:
    """Collects the points of one attempt and writes them in chunks of up to 1,000 with their roll-ups.

    The open chunk is rewritten at every flush, so a page sees it grow; a full one is never touched again.
    """

    lease: Lease
    tenant_id: Any
    _points: dict[str, list[tuple[int, float]]] = field(default_factory=lambda: defaultdict(list))
    _written: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, name: str, step: int, value: float) -> None:
        """Add one point; `step` counts rows of the run."""
        self._points[name].append((step, value))

    def flush(self) -> None:
        """Write what has come since the last flush."""
        with transaction.atomic():
            for name, points in self._points.items():
                while points:
                    part = points[:CHUNK]
                    self._write(name, part)
                    if len(part) < CHUNK:
                        break
                    self._written[name] += 1
                    del points[:CHUNK]

    def _write(self, name: str, points: list[tuple[int, float]]) -> None:
        values = [value for _, value in points]
        MetricChunk.objects.update_or_create(
            attempt_id=self.lease.attempt_id,
            name=name,
            number=self._written[name],
            defaults={
                "tenant_id": self.tenant_id,
                "run_id": self.lease.run_id,
                "steps": [step for step, _ in points],
                "values": values,
                "minimum": min(values),
                "maximum": max(values),
                "mean": sum(values) / len(values),
            },
        )
