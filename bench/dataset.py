"""A data set as every contender reads it: categorical columns and one label, in Parquet and in npz, split by time."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from exfm_core.data.partitions import write_partition
from exfm_core.spec import Feature, StreamSchema, Task

Columns = dict[str, npt.NDArray[np.int64]]
LABEL = "label"


@dataclass(frozen=True)
class Dataset:
    """`fields`: name → number of ids. `splits`: name → rows. Files: `<split>.parquet` and `<split>.npz`."""

    folder: Path
    fields: dict[str, int]
    splits: dict[str, int]

    @property
    def schema(self) -> StreamSchema:
        """As a stream: no user column, the ids are rows of their tables."""
        features = tuple(Feature(name, buckets=size, hashed=False) for name, size in self.fields.items())
        return StreamSchema(features, (Task("click", "click", LABEL),), user_key=None)

    def parquet(self, split: str) -> Path:
        """What our reader reads."""
        return self.folder / f"{split}.parquet"

    def npz(self, split: str) -> Path:
        """What the peers' loaders read."""
        return self.folder / f"{split}.npz"

    def labels(self, split: str) -> npt.NDArray[np.float32]:
        """The labels of a split."""
        with np.load(self.npz(split)) as found:
            return np.asarray(found[LABEL], np.float32)


def load(folder: Path) -> Dataset:
    """Read back what `write` wrote."""
    found = json.loads((folder / "dataset.json").read_text())
    return Dataset(folder, found["fields"], found["splits"])


def write(
    folder: Path, fields: dict[str, int], columns: Columns, labels: npt.NDArray[np.int8], splits: Mapping[str, int]
) -> Dataset:
    """Write the rows, which are in time order, as consecutive splits."""
    folder.mkdir(parents=True, exist_ok=True)
    dataset = Dataset(folder, fields, dict(splits))
    first = 0
    for split, rows in splits.items():
        part = slice(first, first + rows)
        ids = {name: np.asarray(columns[name][part], np.int64) for name in fields}
        times = pa.array(np.arange(first, first + rows) * 1000, pa.timestamp("us", tz="UTC"))
        table = pa.table({"event_time": times, **ids, LABEL: labels[part]})
        write_partition(dataset.parquet(split), table, dataset.schema)
        np.savez(dataset.npz(split), **ids, **{LABEL: labels[part].astype(np.float32)})  # type: ignore[arg-type]
        first += rows
    (folder / "dataset.json").write_text(json.dumps({"fields": fields, "splits": dict(splits)}))
    return dataset
