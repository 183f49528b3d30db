"""The union of the tenants' streams as one stream of rows in event-time order."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from exfm_core.data.encode import Block, Layout, blocks, foundation_layout
from exfm_core.data.partitions import Source
from exfm_core.spec import FoundationModel, StreamSchema
from exfm_core.train.rows import Ints, Rows

UNSEEN_EVERY = 16
"""Every 16th row is trained as the unseen tenant's, so that a new tenant is served by something that was learnt."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One tenant's partition of the period."""

    source: Source
    schema: StreamSchema
    slot: int


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

    A k-way merge over row groups: memory is bounded by two row groups per stream. A row is handed out once no stream
    can still bring an earlier one.
    """
    slots = [stream.slot for stream in streams]
    waiting: list[tuple[Iterator[Block], Rows | None]] = [
        _next(blocks(stream.source, layout, 1), stream.slot) for layout, stream in zip(layouts, streams, strict=True)
    ]
    while any(rows is not None for _, rows in waiting):
        horizon = min(int(rows.times[-1]) for _, rows in waiting if rows is not None)
        ready: list[Rows] = []
        for place, (source, rows) in enumerate(waiting):
            if rows is None:
                continue
            cut = int(np.searchsorted(rows.times, horizon, side="right"))
            if cut:
                ready.append(rows if cut == len(rows) else rows.take(np.arange(cut)))
            rest = rows.take(np.arange(cut, len(rows))) if cut < len(rows) else None
            waiting[place] = (source, rest) if rest is not None else _next(source, slots[place])
        union = Rows.concatenate(ready)
        yield union.take(np.argsort(union.times, kind="stable"))


def _next(source: Iterator[Block], slot: int) -> tuple[Iterator[Block], Rows | None]:
    block = next(source, None)
    while block is not None and not block.rows:
        block = next(source, None)
    return source, None if block is None else Rows.of(block, slot)


def known_tenants(rows: Rows, tenant_slots: int) -> Rows:
    """Slots beyond the model's become the unseen tenant's."""
    return replace(rows, slots=np.where(rows.slots < tenant_slots, rows.slots, 0))


def forget_tenants(rows: Rows, first_row: int) -> Rows:
    """Every 16th row of the lineage, which `rows` enter at `first_row`, becomes the unseen tenant's."""
    position: Ints = np.arange(first_row, first_row + len(rows))
    return replace(rows, slots=np.where(position % UNSEEN_EVERY == UNSEEN_EVERY - 1, 0, rows.slots))
