"""Reads of streams and partitions."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils import timezone

from catalog.models import Partition, Stream
from exfm_core.spec import StreamSchema
from tenancy.errors import NotFound

SEALED = Q(partitions__state=Partition.State.SEALED)


def streams() -> QuerySet[Stream]:
    """Return the streams in scope with the number of their sealed and rejected partitions and of sealed rows."""
    return Stream.objects.annotate(
        sealed=Count("partitions", filter=SEALED),
        rejected=Count("partitions", filter=Q(partitions__state=Partition.State.REJECTED)),
        rows=Sum("partitions__rows", filter=SEALED, default=0),
    )


def stream(*, stream_id: uuid.UUID) -> Stream:
    """Return one stream in scope, counted; NotFound if there is none."""
    found = streams().filter(id=stream_id).first()
    if found is None:
        raise NotFound("stream_not_found", "There is no such stream.", "List the streams to see their ids.")
    return found


def partitions(*, stream_id: uuid.UUID) -> QuerySet[Partition]:
    """Return a stream's partitions with the number of their label sets and of the models' lineages trained on them."""
    own = Q(consumptions__lineage__tenant__isnull=False)
    return Partition.objects.filter(stream_id=stream_id).annotate(
        label_set_count=_counted(Count("label_sets")), trained=_counted(Count("consumptions", filter=own))
    )


def _counted(count: Count) -> Subquery:
    """Return the count as a subquery of its own row: a page counts for its rows alone, not for the whole stream."""
    same = Partition.objects.filter(id=OuterRef("id")).order_by().values("id")
    return Subquery(same.annotate(number=count).values("number"), output_field=IntegerField())


def partition(*, stream_id: uuid.UUID, partition_id: uuid.UUID) -> Partition:
    """Return one partition of the stream; NotFound if there is none."""
    found = partitions(stream_id=stream_id).filter(id=partition_id).first()
    if found is None:
        raise NotFound("partition_not_found", "The stream has no such partition.", "List its partitions for their ids.")
    return found


def overlapping(*, stream_id: uuid.UUID, start: datetime, end: datetime) -> Partition | None:
    """Return the first partition of the stream, rejected ones apart, that covers part of `[start, end)`."""
    return (
        Partition.objects.filter(stream_id=stream_id, start__lt=end, end__gt=start)
        .exclude(state=Partition.State.REJECTED)
        .order_by("start")
        .first()
    )


def schema_of(stream: Stream) -> StreamSchema:
    """Return the stream's schema as a spec."""
    return StreamSchema.from_json(stream.schema)


def storage_used(*, tenant_id: uuid.UUID) -> int:
    """Return the bytes of the tenant's partitions; rejected ones do not count."""
    rows = Partition.objects.filter(tenant_id=tenant_id).exclude(state=Partition.State.REJECTED)
    return int(rows.aggregate(total=Sum("bytes", default=0))["total"])


def unvalidated(*, older_than: timedelta) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Return (partition, tenant) of uploads that have waited longer than that for their validation; for the sweep."""
    waiting = Partition.objects.filter(state=Partition.State.UPLOADED, created_at__lt=timezone.now() - older_than)
    return list(waiting.order_by("created_at").values_list("id", "tenant_id")[:1000])


def waiting_for_validation(*, tenant_id: uuid.UUID, most: int) -> list[uuid.UUID]:
    """Return the tenant's oldest uploads that are not decided yet."""
    waiting = Partition.objects.filter(tenant_id=tenant_id, state=Partition.State.UPLOADED)
    return list(waiting.order_by("created_at").values_list("id", flat=True)[:most])


@dataclass(frozen=True)
class Validation:
    """What the validator needs to know about an uploaded partition."""

    partition_id: uuid.UUID
    tenant_id: uuid.UUID
    state: str
    uri: str
    sha256: str
    start: datetime
    end: datetime
    schema: dict[str, object]
    source_uri: str
    bytes: int
    tenant_slug: str


def validation(*, partition_id: uuid.UUID) -> Validation | None:
    """Return the partition's file, interval and schema for the validating worker; None if it does not exist."""
    found = Partition.objects.select_related("stream", "tenant").filter(id=partition_id).first()
    if found is None:
        return None
    return Validation(
        partition_id=found.id,
        tenant_id=found.tenant_id,
        state=found.state,
        uri=found.uri,
        sha256=found.sha256,
        start=found.start,
        end=found.end,
        schema=found.stream.schema,
        source_uri=found.source_uri,
        bytes=found.bytes,
        tenant_slug=found.tenant.slug,
    )
