"""Reads of streams and partitions."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import F, Func, IntegerField, JSONField, QuerySet
from django.utils import timezone

from catalog.models import Partition, Stream
from exfm_core.spec import StreamSchema
from tenancy.errors import NotFound
from tenancy.presence import in_scope

_COUNTS = """(SELECT jsonb_build_object(
    'sealed', count(*) FILTER (WHERE state = 'sealed'),
    'rejected', count(*) FILTER (WHERE state = 'rejected'),
    'rows', coalesce(sum(rows) FILTER (WHERE state = 'sealed'), 0)::bigint)
FROM catalog_partition WHERE stream_id = %(expressions)s)"""
"""Written out, like the two below: the ORM would group or join all rows before it takes a page of them."""

_LABELLED = "(SELECT count(*) FROM registry_labelset WHERE partition_id = %(expressions)s)"
_TRAINED = "coalesce((SELECT trained FROM catalog_partitionuse WHERE partition_id = %(expressions)s), 0)"


def streams() -> QuerySet[Stream]:
    """Return the streams in scope with `counts`: sealed and rejected partitions, and rows of the sealed ones."""
    return Stream.objects.annotate(counts=Func(F("id"), template=_COUNTS, output_field=JSONField()))


def counted_stream(*, stream_id: uuid.UUID) -> Stream:
    """Return one stream in scope with its `counts`; NotFound if there is none."""
    return _one(streams(), stream_id)


def stream(*, stream_id: uuid.UUID) -> Stream:
    """Return one stream in scope; NotFound if there is none."""
    return _one(Stream.objects.all(), stream_id)


def _one(rows: QuerySet[Stream], stream_id: uuid.UUID) -> Stream:
    found = rows.filter(id=stream_id).first()
    if found is None:
        raise _no_stream()
    return found


def kept_stream(*, stream_id: uuid.UUID) -> Stream:
    """Return one stream in scope that nobody deletes before the transaction ends; NotFound if there is none."""
    found = stream(stream_id=stream_id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM catalog_stream WHERE id = %s FOR KEY SHARE", [stream_id])
        if not cursor.rowcount:
            raise _no_stream()
    return found


def keep_partitions(*, partition_ids: Collection[uuid.UUID]) -> bool:
    """Keep partitions from being deleted before the transaction ends; False if one of them is gone already."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM catalog_partition WHERE id = ANY(%s) FOR KEY SHARE", [list(partition_ids)])
        return bool(cursor.rowcount == len(partition_ids))


def check_stream(*, stream_id: uuid.UUID) -> None:
    """Raise NotFound if the scope has no such stream."""
    if not in_scope("catalog_stream", id=stream_id):
        raise _no_stream()


def partitions(*, stream_id: uuid.UUID) -> QuerySet[Partition]:
    """Return a stream's partitions with the number of their label sets, and `trained`, of the lineages that consumed.

    What is `trained` is kept by the ledger's trigger: a partition may have been consumed by thousands of lineages.
    """
    return Partition.objects.filter(stream_id=stream_id).annotate(
        label_set_count=Func(F("id"), template=_LABELLED, output_field=IntegerField()),
        trained=Func(F("id"), template=_TRAINED, output_field=IntegerField()),
    )


def partition(*, stream_id: uuid.UUID, partition_id: uuid.UUID) -> Partition:
    """Return one partition of the stream with its uses; NotFound if there is none."""
    found = partitions(stream_id=stream_id).filter(id=partition_id).first()
    if found is None:
        raise no_partition()
    return found


def check_partition(*, stream_id: uuid.UUID, partition_id: uuid.UUID) -> None:
    """Raise NotFound if the stream has no such partition."""
    if not in_scope("catalog_partition", id=partition_id, stream_id=stream_id):
        raise no_partition()


def no_partition() -> NotFound:
    """Return the refusal of a partition that the stream does not have."""
    return NotFound("partition_not_found", "The stream has no such partition.", "List its partitions for their ids.")


def _no_stream() -> NotFound:
    return NotFound("stream_not_found", "There is no such stream.", "List the streams to see their ids.")


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


STORAGE_USED = """
    SELECT coalesce((
        SELECT sum(bytes) FROM catalog_partition WHERE tenant_id = %(tenant)s AND state <> 'rejected'
    ), 0)::bigint + coalesce((
        SELECT sum(greatest(bytes, written_bytes)) FROM tenancy_tenantexport
        WHERE tenant_id = %(tenant)s AND state IN ('running', 'done')
    ), 0)::bigint
"""
"""The bytes of a tenant's partitions, but rejected ones, and of its exports, so far and until their files go."""


def storage_used(*, tenant_id: uuid.UUID) -> int:
    """Return the bytes that the tenant uses of its quota."""
    with connection.cursor() as cursor:
        cursor.execute(STORAGE_USED, {"tenant": tenant_id})
        return int(cursor.fetchone()[0])


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
