"""Where a lineage stands in each stream: what it has consumed, itself or through the checkpoint it started from.

Everything is asked for many lineages at once; the number of statements does not grow with them.
"""

import uuid
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from django.db import connection

from catalog.models import Partition
from registry.models import Lineage

K = TypeVar("K", bound=Hashable)

_BEGINNING = datetime.min.replace(tzinfo=UTC)

_POSITIONS = """
    WITH RECURSIVE course AS (
        SELECT l.id AS lineage, l.id AS source, NULL::timestamptz AS until, l.parent_checkpoint_id AS began
        FROM registry_lineage l WHERE l.id = ANY(%s::uuid[])
        UNION ALL
        SELECT c.lineage, k.lineage_id, k.position, l.parent_checkpoint_id
        FROM course c JOIN registry_checkpoint k ON k.id = c.began JOIN registry_lineage l ON l.id = k.lineage_id
    )
    SELECT c.lineage, p.stream_id, max(p."end")
    FROM course c
    JOIN runs_consumption u ON u.lineage_id = c.source
    JOIN registry_checkpoint k ON k.id = u.checkpoint_id
    JOIN catalog_partition p ON p.id = u.partition_id
    WHERE c.until IS NULL OR k.position <= c.until
    GROUP BY c.lineage, p.stream_id
"""
"""Consumption of a lineage and, up to the checkpoint it began with, of those before it."""


def positions(lineage: Lineage) -> dict[uuid.UUID, datetime]:
    """Return, per stream, the end of the last partition consumed. Training goes on from there, in strict time order."""
    return _positions([lineage]).get(lineage.id, {})


def _positions(lineages: Collection[Lineage]) -> dict[uuid.UUID, dict[uuid.UUID, datetime]]:
    found: dict[uuid.UUID, dict[uuid.UUID, datetime]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_POSITIONS, [[lineage.id for lineage in lineages]])
        for lineage_id, stream_id, end in cursor.fetchall():
            found.setdefault(lineage_id, {})[stream_id] = end
    return found


@dataclass(frozen=True)
class Place:
    """A moment of a stream from which something goes on; no moment: from its beginning."""

    stream_id: uuid.UUID
    since: datetime | None

    @property
    def start(self) -> datetime:
        """The moment, or one before all others."""
        return self.since or _BEGINNING


def places(lineages: Mapping[K, Lineage], streams: Mapping[K, tuple[uuid.UUID, datetime | None]]) -> dict[K, Place]:
    """Return where the models' lineages go on in their model's stream, not before its start.

    Args:
        lineages: by model, with `head` loaded. A model's lineage reads one stream, up to the position of its head.
        streams: the model's stream and the event time before which it skips partitions.
    """
    fresh = _positions([lineage for lineage in lineages.values() if lineage.head is None])
    found = {}
    for key, lineage in lineages.items():
        stream_id, start_from = streams[key]
        after = lineage.head.position if lineage.head else fresh.get(lineage.id, {}).get(stream_id)
        bounds = [bound for bound in (after, start_from) if bound is not None]
        found[key] = Place(stream_id, max(bounds, default=None))
    return found


_AHEAD = """
    SELECT p.id FROM unnest(%s::uuid[], %s::timestamptz[]) AS asked(stream_id, since)
    JOIN catalog_partition p ON p.stream_id = asked.stream_id AND p.start >= asked.since AND p.state <> 'rejected'
"""
_NEXT = """
    SELECT p.id FROM unnest(%s::uuid[], %s::timestamptz[]) AS asked(stream_id, since)
    CROSS JOIN LATERAL (
        SELECT n.id FROM catalog_partition n
        WHERE n.stream_id = asked.stream_id AND n.start >= asked.since AND n.state <> 'rejected'
        ORDER BY n.start LIMIT 1
    ) AS p
"""


def ahead(asked: Mapping[K, Place]) -> dict[K, list[Partition]]:
    """Return the sealed partitions from each place on, in time order, up to the first unvalidated one.

    Behind a partition that is still being validated nothing is ready: taking a later one would skip it for ever.
    """
    since: dict[uuid.UUID, datetime] = {}
    for place in asked.values():
        since[place.stream_id] = min(place.start, since.get(place.stream_id, place.start))
    streams: dict[uuid.UUID, list[Partition]] = {}
    for partition in _load(_AHEAD, list(since.items())):
        streams.setdefault(partition.stream_id, []).append(partition)
    return {key: _ready(streams.get(place.stream_id, []), place.start) for key, place in asked.items()}


def next_sealed(asked: Mapping[K, Place]) -> dict[K, Partition]:
    """Return the first partition of `ahead` from each place that has one."""
    wanted = list({(place.stream_id, place.start) for place in asked.values()})
    streams: dict[uuid.UUID, list[Partition]] = {}
    for partition in _load(_NEXT, wanted):
        streams.setdefault(partition.stream_id, []).append(partition)
    found = {key: _ready(streams.get(place.stream_id, []), place.start) for key, place in asked.items()}
    return {key: ready[0] for key, ready in found.items() if ready}


def _load(query: str, asked: list[tuple[uuid.UUID, datetime]]) -> list[Partition]:
    with connection.cursor() as cursor:
        cursor.execute(query, [[stream_id for stream_id, _ in asked], [start for _, start in asked]])
        ids = [row[0] for row in cursor.fetchall()]
    return list(Partition.objects.filter(id__in=ids).order_by("start"))


def _ready(rows: list[Partition], since: datetime) -> list[Partition]:
    ready = []
    for partition in rows:
        if partition.start < since:
            continue
        if partition.state != Partition.State.SEALED:
            break
        ready.append(partition)
    return ready
