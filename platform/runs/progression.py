"""Where a lineage stands in each stream: what it has consumed, itself or through the checkpoint it started from."""

import uuid
from datetime import datetime

from django.db.models import Max, Q

from catalog.models import Partition
from registry.models import Lineage
from runs.models import Consumption


def _consumed(lineage: Lineage) -> Q:
    """Consumption of the lineage and, up to the checkpoint it began with, of those before it."""
    condition = Q(lineage_id=lineage.id)
    start = lineage.parent_checkpoint
    while start is not None:
        condition |= Q(lineage_id=start.lineage_id, checkpoint__position__lte=start.position)
        start = start.lineage.parent_checkpoint
    return condition


def positions(lineage: Lineage) -> dict[uuid.UUID, datetime]:
    """Return, per stream, the end of the last partition consumed. Training goes on from there, in strict time order."""
    rows = Consumption.objects.filter(_consumed(lineage)).values_list("partition__stream_id")
    return dict(rows.annotate(end=Max("partition__end")))


def consumed_count(lineage: Lineage) -> int:
    """Return how many partitions the lineage has behind it."""
    return Consumption.objects.filter(_consumed(lineage)).count()


def ahead(*, stream_id: uuid.UUID, after: datetime | None, start_from: datetime | None = None) -> list[Partition]:
    """Return the stream's sealed partitions not before `after`, in time order, up to the first unvalidated one.

    Behind a partition that is still being validated nothing is ready: taking a later one would skip it for ever.
    """
    rows = Partition.objects.filter(stream_id=stream_id).exclude(state=Partition.State.REJECTED)
    for bound in (after, start_from):
        if bound is not None:
            rows = rows.filter(start__gte=bound)
    ready: list[Partition] = []
    for partition in rows.order_by("start"):
        if partition.state != Partition.State.SEALED:
            break
        ready.append(partition)
    return ready
