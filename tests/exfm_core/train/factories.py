"""Small streams, partition files and specs for the trainer's tests."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from exfm_core.data.partitions import write_partition
from exfm_core.events import File
from exfm_core.spec import (
    Attention,
    Feature,
    FoundationModel,
    FoundationSpec,
    Optimizer,
    StreamSchema,
    Supervision,
    Task,
    VerticalModel,
    VerticalSpec,
)

ORIGIN = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def schema(task: str = "click") -> StreamSchema:
    """Two categorical features, a sequence, a dense one; all but `placement` in the catalogue."""
    return StreamSchema(
        (
            Feature("user_id", buckets=200, catalogue="user_id"),
            Feature("item_id", buckets=50, catalogue="item_id"),
            Feature("recent", kind="sequence", buckets=50, max_length=4, catalogue="recent"),
            Feature("placement", buckets=4, hashed=False),
            Feature("age", kind="dense", catalogue="age"),
        ),
        (Task(task, task, task),),
    )


def vertical(supervision: Supervision | None = None, **changes: Any) -> VerticalSpec:
    """A small model that reads everything but the user."""
    backbone = changes.pop("backbone", "dcnv2")
    model = VerticalModel(
        features=("item_id", "recent", "placement", "age"),
        tasks=changes.pop("tasks", ("click",)),
        backbone=backbone,
        mlp=(16, 8),
        head_width=8,
        attention=(Attention("recent", "item_id"),) if backbone == "din" else (),
    )
    supervision = supervision or Supervision("custom", w=1.0, w_sa=1.0, w_kd=1.0, aux_width=16)
    return VerticalSpec(model, Optimizer(batch_size=64), supervision, seed=changes.pop("seed", 3))


def foundation(kinds: tuple[str, ...] = ("click", "conversion"), **changes: Any) -> FoundationSpec:
    """A small teacher over the catalogue."""
    features = tuple(feature for feature in schema().features if feature.catalogue)
    model = FoundationModel(features, kinds, embedding_dim=8, mlp=(16, 8), tenant_slots=4)
    return FoundationSpec(model, Optimizer(batch_size=128, embedding_lr=0.2), seed=changes.pop("seed", 5))


def rows(count: int, period: int, seed: int = 0, task: str = "click") -> pa.Table:
    """`count` rows in hour `period`; what is clicked depends on item, age and the last item seen."""
    rng = np.random.default_rng([seed, period])
    start = int((ORIGIN + period * HOUR).timestamp() * 1e6)
    times = np.sort(rng.integers(0, 3_600_000_000, count)) + start
    item, age = rng.integers(0, 40, count), rng.normal(size=count)
    lengths = rng.integers(0, 4, count)
    recent = [rng.integers(0, 40, n).tolist() for n in lengths]
    last = np.array([ids[-1] if ids else 0 for ids in recent])
    taste = np.random.default_rng(seed).normal(size=40)
    logit = 1.2 * taste[item] + 0.5 * age + 0.4 * taste[last] - 0.7
    label = rng.random(count) < 1 / (1 + np.exp(-logit))
    return pa.table(
        {
            "event_time": pa.array(times).cast(pa.timestamp("us", tz="UTC")),
            "user_id": rng.integers(1, 400, count),
            "item_id": item,
            "recent": pa.array(recent, pa.list_(pa.int64())),
            "placement": rng.integers(0, 4, count),
            "age": age,
            task: label.astype(np.int8),
        }
    )


@dataclass(frozen=True, slots=True)
class Written:
    """A partition in a storage root."""

    id: str
    file: File
    rows: int
    start: str
    end: str

    def body(self) -> dict[str, Any]:
        """As a vm.train command names it."""
        file = {"uri": self.file.uri, "sha256": self.file.sha256, "bytes": self.file.bytes}
        return {"id": self.id, "file": file, "rows": self.rows, "start": self.start, "end": self.end}

    def for_foundation(self, slot: int, task: str = "click") -> dict[str, Any]:
        """As fm.train and das.score commands name it."""
        return self.body() | {"tenant_slot": slot, "schema": schema(task).to_json()}


def partition(root: Path, count: int, period: int, seed: int = 0, task: str = "click") -> Written:
    """Writes a partition file below `root`."""
    name = f"partitions/{task}-{seed}-{period}.parquet"
    written = write_partition(root / name, rows(count, period, seed, task), schema(task))
    start, end = ORIGIN + period * HOUR, ORIGIN + (period + 1) * HOUR
    file = File(name, written.sha256, written.bytes)
    return Written(f"{task}-{seed}-{period}", file, count, start.isoformat(), end.isoformat())


def sha256(path: Path) -> str:
    """Hash of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
