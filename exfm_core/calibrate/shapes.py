"""Models to measure a device with, and rows to feed them: the fit sees some, the others say how wrong it is."""

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from exfm_core.data.partitions import write_partition
from exfm_core.spec import Feature, Optimizer, StreamSchema, Supervision, Task, VerticalModel, VerticalSpec

TASK: Final = Task("click", "click", "click")
_START: Final = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1e6)


@dataclass(frozen=True, slots=True)
class Shape:
    """A vertical model by its sizes."""

    backbone: str
    fields: int
    dim: int
    mlp: tuple[int, ...]
    batch: int
    history: int = 0
    dense: int = 2

    def schema(self) -> StreamSchema:
        """A stream with the model's features: tables of 20,000 rows, a history of ids where `history` > 0; din attends
        from it to `c0`."""
        features = [Feature(f"c{i}", buckets=20_000) for i in range(self.fields)]
        if self.history:
            features.append(Feature("history", kind="sequence", buckets=20_000, max_length=self.history))
        features += [Feature(f"d{i}", kind="dense") for i in range(self.dense)]
        return StreamSchema(tuple(features), (TASK,), user_key=None)

    def spec(self) -> VerticalSpec:
        """The model that reads all of it."""
        names = [feature.name for feature in self.schema().features]
        body: dict[str, Any] = {"features": names, "tasks": [TASK.name], "backbone": self.backbone}
        if self.backbone == "din":
            body["attention"] = [{"sequence": "history", "target": "c0"}]
        model = VerticalModel.from_json(body | {"embedding_dim": self.dim, "mlp": list(self.mlp)})
        return VerticalSpec(model, Optimizer(batch_size=self.batch), Supervision("safe"))


FITTED: Final = (
    Shape("dcnv2", 4, 8, (32, 16), 128),
    Shape("dcnv2", 12, 16, (128, 64), 256),
    Shape("dlrm", 8, 16, (64, 32), 64, history=10),
    Shape("deepfm", 20, 8, (256, 128), 512),
    Shape("dcnv2", 6, 32, (512, 256), 256, history=20),
    Shape("dlrm", 24, 32, (64,), 256),
    Shape("deepfm", 3, 4, (16,), 32),
    Shape("deepfm", 10, 16, (64, 64, 64, 64), 128, history=5),
    Shape("mmoe", 10, 16, (64, 32), 128),
    Shape("din", 6, 16, (64, 32), 128, history=20),
)
HELD_OUT: Final = (
    Shape("dcnv2", 8, 16, (64, 32), 128, history=10),
    Shape("dlrm", 12, 8, (128, 64), 256),
    Shape("deepfm", 16, 16, (128, 32), 256, history=5),
    Shape("mmoe", 6, 8, (128, 64), 256),
    Shape("din", 10, 8, (128,), 256, history=10),
)


def rows(schema: StreamSchema, count: int, seed: int = 0) -> bytes:
    """A partition file of `count` rows, histories at their full length, a third of the labels positive."""
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {
        schema.event_time: pa.array(_START + np.arange(count)).cast(pa.timestamp("us", tz="UTC")),
        TASK.label: (rng.random(count) < 1 / 3).astype(np.int8),
    }
    for feature in schema.features:
        if feature.kind == "dense":
            columns[feature.name] = rng.normal(size=count)
        elif feature.kind == "categorical":
            columns[feature.name] = rng.integers(0, 1 << 40, count)
        else:
            ids = rng.integers(0, 1 << 40, count * feature.max_length)
            columns[feature.name] = pa.ListArray.from_arrays(np.arange(count + 1) * feature.max_length, ids)
    with tempfile.TemporaryDirectory(prefix="exfm-") as folder:
        path = Path(folder) / "rows.parquet"
        write_partition(path, pa.table(columns), schema)
        return path.read_bytes()
