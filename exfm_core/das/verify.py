"""Provenance, checked: any logged logit can be predicted again from the snapshot that it names."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from exfm_core.das.scorer import predict
from exfm_core.das.snapshots import Snapshot
from exfm_core.data.encode import blocks, foundation_layout
from exfm_core.data.partitions import Source
from exfm_core.errors import DataError
from exfm_core.spec import StreamSchema
from exfm_core.train.foundation_rows import with_tenant
from exfm_core.train.rows import Rows

TOLERANCE = 1e-5
"""Another batch size sums in another order: bit-close, not bit-equal."""


def predict_rows(
    snapshot: Snapshot, source: Source, schema: StreamSchema, tenant_slot: int, kind: str, rows: Sequence[int]
) -> npt.NDArray[np.float32]:
    """One head's logits of the partition's `rows` (counted from 0), alone. Raises DataError if a row is not there."""
    layout, place = foundation_layout(snapshot.spec.model, schema), snapshot.spec.model.task_kinds.index(kind)
    wanted = np.asarray(rows, np.int64)
    found = np.full(len(wanted), np.nan, np.float32)
    seen = np.zeros(len(wanted), np.bool_)
    for block in blocks(source, layout, 1):
        here = (wanted >= block.first_row) & (wanted < block.first_row + block.rows)
        if here.any():
            picked = Rows.of(block, snapshot.slot(tenant_slot)).take(wanted[here] - block.first_row)
            found[here] = predict(snapshot.net, with_tenant(picked))[:, place]
            seen |= here
    if not seen.all():
        row = int(wanted[~seen][0])
        raise DataError("data.rows", f"The partition has no row {row}.", "Name rows that it holds.")
    return found
