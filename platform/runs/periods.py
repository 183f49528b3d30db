"""The foundation model's side of time: which partitions it will still consume, and when a period is closed.

A period is the set of partitions that share one `end` over all feeding streams (`period_seconds` is its nominal
length). It closes when every feeding stream of a bound model has sealed partitions up to that end, or when a laggard's
label deadline has passed since the first stream got there, one nominal period at most: the deadline is the laggard's
own choice, the waiting everybody's. Late partitions fall into the next period.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max
from django.utils import timezone

from catalog.models import Partition, Stream
from catalog.selectors import schema_of
from exfm_core.errors import SpecError
from exfm_core.spec import FoundationModel as Catalogue
from registry.models import Binding, FoundationModel, Lineage, TenantSlot, VerticalModel
from registry.selectors import active_foundation_lineage, foundation_spec_of
from runs.models import Kind, WorkClaim
from runs.progression import positions
from tenancy.models import Tenant


@dataclass(frozen=True)
class Period:
    """A closed period with its manifest, in time order within each stream."""

    lineage: Lineage
    start: datetime
    end: datetime
    partitions: tuple[Partition, ...]


def task_kinds(stream: Stream) -> set[str]:
    """Return the FM heads that a stream's labels can teach or use."""
    return {task["kind"] for task in stream.schema.get("tasks", [])}


def feeding_streams(lineage: Lineage) -> list[Stream]:
    """Return the consenting streams, of active tenants with a slot in the FM, whose schemas fit the FM.

    A schema that does not fit would fail the run, and with it everybody's teacher.
    """
    version = lineage.foundation_version
    assert version is not None  # noqa: S101 - a constraint of the table
    tenants = TenantSlot.objects.filter(foundation_model_id=version.model_id).values("tenant_id")
    catalogue = foundation_spec_of(version).model
    streams = Stream.objects.filter(feed_fm=True, tenant_id__in=tenants, tenant__status=Tenant.Status.ACTIVE).order_by(
        "tenant_id", "name"
    )
    return [stream for stream in streams if _fits(stream, catalogue)]


def _fits(stream: Stream, catalogue: Catalogue) -> bool:
    try:
        catalogue.bind(schema_of(stream))
    except SpecError:
        return False
    return True


def to_come(lineage: Lineage, streams: Iterable[Stream]) -> list[Partition]:
    """Return the sealed and the still unvalidated partitions that the lineage has not consumed, by end."""
    done = positions(lineage)
    rows = Partition.objects.filter(stream__in=list(streams)).exclude(state=Partition.State.REJECTED)
    rest = [p for p in rows if p.stream_id not in done or p.start >= done[p.stream_id]]
    return sorted(rest, key=lambda p: (p.end, p.start, p.id))


def frontier(foundation_model: FoundationModel) -> datetime | None:
    """Return the earliest end among the partitions that the FM has still to consume; None if nothing is pending.

    A partition that starts at or after it may get a fresher snapshot than today's; one that starts before it cannot.
    """
    if not foundation_model.is_active:
        return None
    lineage = active_foundation_lineage(foundation_model_id=foundation_model.id)
    last = _last_end(lineage, committed=True)
    ends = [p.end for p in to_come(lineage, feeding_streams(lineage)) if last is None or p.end > last]
    return min(ends, default=None)


def _last_end(lineage: Lineage, *, committed: bool = False) -> datetime | None:
    """The end of the newest period that was claimed (or committed) by the lineage."""
    claims = WorkClaim.objects.filter(kind=Kind.FM_TRAIN, lineage=lineage)
    if committed:
        claims = claims.filter(committed_at__isnull=False)
    end: datetime | None = claims.aggregate(end=Max("period_end"))["end"]
    return end


def next_period(foundation_model: FoundationModel, now: datetime | None = None) -> Period | None:
    """Return the earliest closed period with something in it, or None."""
    lineage = active_foundation_lineage(foundation_model_id=foundation_model.id)
    streams = feeding_streams(lineage)
    rest = to_come(lineage, streams)
    sealed = [p for p in rest if p.state == Partition.State.SEALED]
    if not sealed:
        return None
    last = _last_end(lineage)
    ends = sorted({p.end for p in sealed})
    # A late partition's end may lie in a period that is over: it then belongs to the next one.
    end = next((e for e in ends if last is None or e > last), None)
    if end is None:
        return None
    bound = _bound_streams(foundation_model)
    patience = timedelta(seconds=foundation_model.period_seconds)
    if not _closed(end, [s for s in streams if s.id in bound], rest, now or timezone.now(), patience):
        return None
    manifest = _without_gaps([p for p in rest if p.end <= end])
    if not manifest:
        return None
    start = min(p.start for p in manifest)
    return Period(lineage=lineage, start=start, end=end, partitions=tuple(manifest))


def _bound_streams(foundation_model: FoundationModel) -> set[uuid.UUID]:
    rows = Binding.objects.filter(
        foundation_model=foundation_model, ended_at__isnull=True, model__status=VerticalModel.Status.ACTIVE
    )
    return set(rows.values_list("model__stream_id", flat=True))


def _without_gaps(rest: list[Partition]) -> list[Partition]:
    """Drop, per stream, what comes after a partition that is still being validated: order within a stream is strict."""
    blocked: dict[uuid.UUID, datetime] = {}
    for partition in rest:
        if partition.state != Partition.State.SEALED:
            blocked[partition.stream_id] = min(partition.start, blocked.get(partition.stream_id, partition.start))
    return [p for p in rest if p.stream_id not in blocked or p.start < blocked[p.stream_id]]


def _closed(end: datetime, streams: list[Stream], rest: list[Partition], now: datetime, patience: timedelta) -> bool:
    """Whether no stream has to be waited for any more."""
    open_before = {p.stream_id for p in rest if p.state != Partition.State.SEALED and p.start < end}
    sealed = Partition.objects.filter(stream__in=streams, state=Partition.State.SEALED)
    reached = dict(sealed.values_list("stream_id").annotate(end=Max("end")))
    laggards = [s for s in streams if s.id in open_before or reached.get(s.id, end - timedelta(days=1)) < end]
    if not laggards:
        return True
    arrivals = sealed.filter(end__gte=end).order_by("sealed_at").values_list("sealed_at", flat=True)
    first = arrivals.first()
    if first is None:
        # Only streams without a bound model got there: nothing that a student waits for.
        times = [p.sealed_at for p in rest if p.end <= end and p.sealed_at]
        first = max(times) if times else now
    return all(now >= first + min(timedelta(seconds=s.label_deadline_seconds), patience) for s in laggards)
