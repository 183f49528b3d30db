"""Dense columns that a stream does not have, added to partitions: the teacher's logit, its vectors."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from exfm_core.spec import Feature, StreamSchema, VerticalSpec
from exfm_core.train.local import LocalPartition

Floats = npt.NDArray[np.float32]


def names(width: int) -> tuple[str, ...]:
    """Names of the added columns."""
    return tuple(f"teacher_{number}" for number in range(width))


def widened(spec: VerticalSpec, schema: StreamSchema, width: int) -> tuple[VerticalSpec, StreamSchema]:
    """The spec and schema of the model that reads them as well."""
    features = (*schema.features, *(Feature(name, "dense") for name in names(width)))
    model = replace(spec.model, features=(*spec.model.features, *names(width)))
    return replace(spec, model=model), replace(schema, features=features)


def added(partition: LocalPartition, parts: Sequence[Floats]) -> LocalPartition:
    """The partition with columns whose rows are those of ``parts``, one after the other. In memory."""
    values = np.concatenate(parts)
    table = pq.read_table(partition.open())
    for place, name in enumerate(names(values.shape[1])):
        table = table.append_column(name, pa.array(values[:, place].astype(np.float64)))
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="none", row_group_size=max(1, table.num_rows))
    return LocalPartition(sink.getvalue(), partition.rows, partition.start, partition.end)
