"""Parts of the platform held in this process, for the measurements that compare them with each other."""

import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import cycle

import numpy as np
import pyarrow.parquet as pq
import torch

from bench.dataset import Dataset
from bench.protocol import Cost, cost_of
from exfm_core.data.encode import Layout, blocks
from exfm_core.models.inputs import Inputs
from exfm_core.spec import StreamSchema
from exfm_core.train.rows import Cutter, Rows, spans


def slice_of(dataset: Dataset, rows: int, first: int = 0) -> bytes:
    """`rows` rows of the training part, as a partition file in memory."""
    table = pq.read_table(dataset.parquet("train")).slice(first, rows)
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", use_dictionary=False, row_group_size=131_072)
    return buffer.getvalue()


def batches(partition: bytes, layout: Layout, batch_size: int) -> list[tuple[Inputs, torch.Tensor]]:
    """The partition's batches and labels, read, encoded and cut beforehand."""
    found = []
    for block in blocks(io.BytesIO(partition), layout, batch_size):
        rows = Rows.of(block)
        cutter, labels = Cutter(rows), torch.tensor(rows.labels[:, 0])
        found += [(cutter.inputs(a, b), labels[a:b]) for a, b in spans(block.rows, batch_size)]
    return found


def teacher_logits(rows: int) -> np.ndarray:
    """Something to be taught by: the arithmetic does not depend on what it says."""
    return np.random.default_rng(0).normal(-1.0, 1.0, rows).astype(np.float32)


def tenant(schema: StreamSchema) -> StreamSchema:
    """The schema with every feature in the catalogue, as the foundation model wants it."""
    return replace(schema, features=tuple(replace(f, catalogue=f.name) for f in schema.features))


def take_turns(works: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[Cost]]:
    """Every work once to warm up, then `rounds` times, the order turned around every time."""
    names = list(works)
    for work in works.values():
        work()
    taken: dict[str, list[Cost]] = {name: [] for name in names}
    for _, order in zip(range(rounds), cycle((names, names[::-1])), strict=False):
        for name in order:
            taken[name].append(cost_of(works[name]))
    return taken
