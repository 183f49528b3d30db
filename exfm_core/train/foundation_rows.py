"""The union of the tenants' streams as one stream of rows in event-time order."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from exfm_core.data.encode import Block, Layout, blocks, foundation_layout
from exfm_core.data.partitions import Source
from exfm_core.spec import FoundationModel, StreamSchema
from exfm_core.train.rows import Ints, Rows

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER: Final = int(np.iinfo(np.int64).max)
UNSEEN_EVERY = 16
"""Every 16th row is trained as the unseen tenant's, so that a new tenant is served by something that was learnt."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One tenant's partition of the period. `start`: none of its rows is earlier; it is opened only then."""

    source: Source
    schema: StreamSchema
    slot: int
    start: datetime | None = None


def with_tenant(rows: Rows) -> Rows:
    """Adds the tenant as the last sparse feature: a bag of one slot, empty for the unseen tenant (slot 0)."""
    seen = rows.slots > 0
    ends = np.concatenate([[0], np.cumsum(seen)]).astype(np.int64)
    return replace(rows, values=(*rows.values, rows.slots[seen]), offsets=(*rows.offsets, ends))


def merge(streams: list[Stream], model: FoundationModel) -> Iterator[Rows]:
    """All rows of all streams as the foundation model reads them: see `merge_as`."""
    return merge_as([foundation_layout(model, stream.schema) for stream in streams], streams)


def merge_as(layouts: list[Layout], streams: list[Stream]) -> Iterator[Rows]:
    """All rows of all streams in event-time order, each read by its layout; equal times in the order of `streams`,
    then of the files.

    A k-way merge: a row is handed out once no stream can still bring an earlier one. Memory is bounded by two small
    pieces per stream that is open, and one that names its start is open from then to its end.
    """
    opened = [blocks(stream.source, layout, 1) for layout, stream in zip(layouts, streams, strict=True)]
    waiting: list[Rows | None] = [None] * len(streams)
    closed = sorted(range(len(streams)), key=lambda place: _start(streams[place]))
    while closed or any(rows is not None for rows in waiting):
        horizon = min((int(rows.times[-1]) for rows in waiting if rows is not None), default=_NEVER)
        if closed and _start(streams[closed[0]]) <= horizon:
            place = closed.pop(0)
            waiting[place] = _next(opened[place], streams[place].slot)
            continue
        ready: list[Rows] = []
        for place, rows in enumerate(waiting):
            if rows is None:
                continue
            cut = int(np.searchsorted(rows.times, horizon, side="right"))
            if cut:
                ready.append(rows if cut == len(rows) else rows.take(np.arange(cut)))
            rest = rows.take(np.arange(cut, len(rows))) if cut < len(rows) else None
            waiting[place] = rest if rest is not None else _next(opened[place], streams[place].slot)
        union = Rows.concatenate(ready)
        yield union.take(np.argsort(union.times, kind="stable"))


def _start(stream: Stream) -> float:
    """Microseconds since 1970 before which the stream has no row."""
    return -math.inf if stream.start is None else (stream.start - _EPOCH) / timedelta(microseconds=1)


def _next(source: Iterator[Block], slot: int) -> Rows | None:
    block = next(source, None)
    while block is not None and not block.rows:
        block = next(source, None)
    return None if block is None else Rows.of(block, slot)


def known_tenants(rows: Rows, tenant_slots: int) -> Rows:
    """Slots beyond the model's become the unseen tenant's."""
    return replace(rows, slots=np.where(rows.slots < tenant_slots, rows.slots, 0))


def forget_tenants(rows: Rows, first_row: int) -> Rows:
    """Every 16th row of the lineage, which `rows` enter at `first_row`, becomes the unseen tenant's."""
    position: Ints = np.arange(first_row, first_row + len(rows))
    return replace(rows, slots=np.where(position % UNSEEN_EVERY == UNSEEN_EVERY - 1, 0, rows.slots))
