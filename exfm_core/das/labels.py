"""Label sets: the teacher's logits for one partition by one snapshot, row-aligned, with their provenance."""

import io
import json
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from exfm_core.data.partitions import Source
from exfm_core.errors import DataError

KEY: Final = b"exfm"
SUFFIX: Final = ".parquet"
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who said it, what it knew, and about which rows. Instants are ISO 8601."""

    snapshot: str
    snapshot_sha256: str
    watermark: str
    partition: str
    partition_sha256: str
    tenant_slot: int
    scored_at: str


def write_labels(logits: dict[str, Floats], provenance: Provenance) -> bytes:
    """A Parquet file: one float32 column per task kind, one row per row of the partition; NaN = no label."""
    metadata = {KEY: json.dumps(asdict(provenance), sort_keys=True).encode()}
    schema = pa.schema([pa.field(kind, pa.float32()) for kind in logits], metadata=metadata)
    sink = io.BytesIO()
    pq.write_table(pa.table(list(logits.values()), schema=schema), sink, compression="zstd", use_dictionary=False)
    return sink.getvalue()


def read_labels(source: Source, kind: str, partition_sha256: str) -> tuple[Floats, Provenance]:
    """One head's logits. Raises DataError if the file is damaged, has no such head or labels another partition."""
    try:
        table = pq.read_table(source)
        provenance = Provenance(**json.loads((table.schema.metadata or {})[KEY]))
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        raise DataError("labels.damaged", "The label set cannot be read.", "Score the partition again.") from error
    if provenance.partition_sha256 != partition_sha256:
        raise DataError(
            "labels.other_partition",
            f"The label set was made for another file (partition {provenance.partition}).",
            "Score this partition; labels are aligned row by row with the file they were made for.",
        )
    if kind not in table.column_names:
        raise DataError(
            "labels.no_head",
            f"The label set has no logits for {kind!r}, only for {', '.join(table.column_names)}.",
            "Bind the model to a foundation model with a head for its task.",
        )
    column = table.column(kind).combine_chunks()
    return np.array(column.to_numpy(zero_copy_only=False), dtype=np.float32), provenance
