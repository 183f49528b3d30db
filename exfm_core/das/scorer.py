"""Scores partitions with a snapshot, in large batches and without gradients."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from exfm_core.das.snapshots import Snapshot
from exfm_core.data.encode import Block, blocks, foundation_layout
from exfm_core.data.partitions import Source
from exfm_core.errors import DataError
from exfm_core.metrics.sums import BucketSums
from exfm_core.models.foundation import FoundationNet
from exfm_core.models.inputs import Inputs
from exfm_core.spec import StreamSchema
from exfm_core.train.foundation_rows import with_tenant
from exfm_core.train.rows import Cutter, Rows, spans

BATCH_ROWS = 4096
Tick = Callable[[int], None]
"""Called with the rows scored so far; may raise to stop."""
Batch = tuple[Inputs, torch.Tensor]
"""What the net reads: inputs and tenant slots."""
_Prepared = tuple[Block, Rows, list[Batch]]


@dataclass(frozen=True, slots=True)
class Scored:
    """Raw logits per task kind that both the stream and the foundation model have, float32 [rows], NaN where the
    model's output is not finite; and the sums of the model's own errors on these rows, all of them unseen by it."""

    logits: dict[str, npt.NDArray[np.float32]]
    sums: dict[str, BucketSums]
    rows: int


def score(
    snapshot: Snapshot, source: Source, schema: StreamSchema, tenant_slot: int, tick: Tick | None = None
) -> Scored:
    """Scores one partition, block by block. Memory: one row group and the logits."""
    layout = foundation_layout(snapshot.spec.model, schema)
    kinds = snapshot.spec.model.task_kinds
    heads = [i for i, label in enumerate(layout.labels) if label is not None]
    slot = snapshot.slot(tenant_slot)
    found: list[npt.NDArray[np.float32]] = []
    sums = {kinds[head]: BucketSums.zeros() for head in heads}
    for block, rows, batches in _ahead(_prepared(blocks(source, layout, BATCH_ROWS), slot)):
        logits = predict(snapshot.net, rows, batches)[:, heads]
        logits[~np.isfinite(logits)] = np.nan
        found.append(logits)
        if tick is not None:
            tick(block.first_row + block.rows)
        for place, head in enumerate(heads):
            good = np.isfinite(logits[:, place])
            sums[kinds[head]] += BucketSums.of(rows.buckets[good], rows.labels[good, head], logits[good, place])
    every = np.concatenate(found) if found else np.empty((0, len(heads)), np.float32)
    return Scored({kinds[head]: every[:, place].copy() for place, head in enumerate(heads)}, sums, len(every))


def _prepared(encoded: Iterator[Block], slot: int) -> Iterator[_Prepared]:
    for block in encoded:
        rows = with_tenant(Rows.of(block, slot))
        yield block, rows, _batches(rows)


def _batches(rows: Rows) -> list[Batch]:
    cutter, slots = Cutter(rows), torch.from_numpy(rows.slots)
    return [(cutter.inputs(start, stop), slots[start:stop]) for start, stop in spans(len(rows), BATCH_ROWS)]


def _ahead(items: Iterator[_Prepared]) -> Iterator[_Prepared]:
    """The same items in order, the next one made in one thread while the last one is worked on."""
    with ThreadPoolExecutor(1, thread_name_prefix="encode") as thread:
        following = thread.submit(next, items, None)
        while (item := following.result()) is not None:
            following = thread.submit(next, items, None)
            yield item


@torch.no_grad()
def predict(net: FoundationNet, rows: Rows, batches: list[Batch] | None = None) -> npt.NDArray[np.float32]:
    """Logits [N, K] of rows that already carry their tenant bag (`with_tenant`); `batches`: theirs, if they are cut."""
    parts = [net(inputs, slots, checked=True).numpy() for inputs, slots in batches or _batches(rows)]
    return np.concatenate(parts) if parts else np.empty((0, net.tenant_bias.shape[1]), np.float32)


def wrong_rows(expected: int, found: int) -> DataError:
    """The file does not hold what was sealed."""
    return DataError(
        "data.rows", f"The partition was sealed with {expected} rows, its file holds {found}.", "Upload it again."
    )
