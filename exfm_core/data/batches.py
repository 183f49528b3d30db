"""Torch batches of a partition, in file order, ready for KeyedJaggedTensor."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch

from exfm_core.data.encode import Block, Layout, blocks
from exfm_core.data.partitions import Source


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows ``[first_row, first_row + rows)`` of a partition.

    ``keys``: names of the sparse inputs (embedding tables), F of them. ``values`` int64 [nnz], ``lengths`` int32
    [F · rows] and ``offsets`` int64 [F · rows + 1] are feature-major, as KeyedJaggedTensor and FBGEMM take them.
    ``dense`` float32 [rows, D]; ``labels`` float32 [rows, T], NaN where the stream has no such task;
    ``user_buckets`` int64 [rows]; ``held_back`` bool [rows].
    """

    first_row: int
    rows: int
    keys: tuple[str, ...]
    values: torch.Tensor
    lengths: torch.Tensor
    offsets: torch.Tensor
    dense: torch.Tensor
    labels: torch.Tensor
    user_buckets: torch.Tensor
    held_back: torch.Tensor


def iterate(source: Source, layout: Layout, batch_size: int, start_row: int = 0) -> Iterator[Batch]:
    """Yield contiguous batches from ``start_row`` on; every batch but the last has ``batch_size`` rows.

    The order and the cut points depend on ``start_row`` and ``batch_size`` alone, never on the file's row groups.
    The next row group is decoded and hashed in a thread while this one is consumed.
    """
    keys = tuple(item.table.name for item in layout.sparse)
    stream = blocks(source, layout, batch_size, start_row)
    with ThreadPoolExecutor(1, thread_name_prefix="encode") as ahead:
        following = ahead.submit(next, stream, None)
        try:
            while (block := following.result()) is not None:
                following = ahead.submit(next, stream, None)
                for start in range(0, block.rows, batch_size):
                    yield cut(block, keys, start, min(start + batch_size, block.rows))
        finally:
            ahead.submit(stream.close).result()


def cut(block: Block, keys: tuple[str, ...], start: int, stop: int) -> Batch:
    """Return rows ``[start, stop)`` of a block as a batch; tensors own their memory."""
    values, lengths = [], []
    for ids, ends in zip(block.values, block.offsets, strict=True):
        values.append(ids[ends[start] : ends[stop]])
        lengths.append(np.diff(ends[start : stop + 1]))
    joined = np.concatenate(values) if values else np.empty(0, np.int64)
    counts = np.concatenate(lengths) if lengths else np.empty(0, np.int64)
    offsets = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    return Batch(
        first_row=block.first_row + start,
        rows=stop - start,
        keys=keys,
        values=torch.from_numpy(joined),
        lengths=torch.from_numpy(counts.astype(np.int32)),
        offsets=torch.from_numpy(offsets),
        dense=torch.from_numpy(block.dense[start:stop].copy()),
        labels=torch.from_numpy(block.labels[start:stop].copy()),
        user_buckets=torch.from_numpy(block.user_buckets[start:stop].astype(np.int64)),
        held_back=torch.from_numpy(block.held_back[start:stop].copy()),
    )
