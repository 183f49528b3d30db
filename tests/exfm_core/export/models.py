"""Trained small models and requests for the export's tests."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import torch

from exfm_core.data.encode import blocks, vertical_layout
from exfm_core.data.partitions import write_partition
from exfm_core.models.vertical import VerticalNet
from exfm_core.spec import StreamSchema, Task, VerticalSpec
from exfm_core.train.rows import Cutter, Rows
from exfm_core.train.vertical import VerticalTrainer
from tests.exfm_core.train.factories import partition, rows, schema

BACKBONES = ("dcnv2", "dlrm", "deepfm")
LIKE = Task("like", "like", "like")


def two_tasks() -> StreamSchema:
    """The trainer's test stream with a second label."""
    return dataclasses.replace(schema(), tasks=(*schema().tasks, LIKE))


def managed() -> StreamSchema:
    """The same stream with managed ids, fewer rows than ids: some lose theirs while the model learns."""
    changed = {
        f.name: dataclasses.replace(f, hashed=False, managed=True, buckets=30)
        for f in schema().features
        if f.name in ("item_id", "recent")
    }
    return dataclasses.replace(schema(), features=tuple(changed.get(f.name, f) for f in schema().features))


def widened(net: VerticalNet) -> VerticalNet:
    """Its tables twenty times larger: a young model says the same of all rows, and nothing could differ."""
    for weight in net.tables.kernel.weights:
        weight.mul_(20.0)
    return net


def trained(root: Path, spec: VerticalSpec, stream: StreamSchema | None = None) -> VerticalTrainer:
    """Both arms after one partition with a teacher, their tables then widened."""
    part = partition(root, 600, 1)
    trainer = VerticalTrainer(spec, stream or schema(), ("control", "treatment"))
    teacher = np.random.default_rng(0).normal(size=600).astype(np.float32)
    trainer.train(root / part.file.uri, 600, teacher, gate_open=True)
    for student in trainer.students.values():
        widened(student.net)
    return trainer


def columns(count: int = 200, seed: int = 4) -> dict[str, Any]:
    """Raw values of the rows of `partition(root, count, 2, seed)`; about a quarter of the bags are empty."""
    table = rows(count, 2, seed)
    return {name: table[name].to_pylist() for name in ("item_id", "recent", "placement", "age")}


def expected_logits(root: Path, net: VerticalNet, spec: VerticalSpec, stream: StreamSchema | None = None) -> np.ndarray:
    """What the training code says of the rows of `columns()`, through its own reader: [tasks, B]."""
    count, seed = 200, 4
    stream = stream or (two_tasks() if len(spec.model.tasks) > 1 else schema())
    table = rows(count, 2, seed)
    if len(spec.model.tasks) > 1:
        table = table.append_column(LIKE.label, table["click"])
    path = root / f"expected-{seed}.parquet"
    write_partition(path, table, stream)
    (block,) = blocks(path, vertical_layout(spec.model, stream), 1)
    with torch.no_grad():
        logits = net.serve(net.represent(Cutter(Rows.of(block)).inputs(0, count)))
    return np.stack([logits_b.numpy() for logits_b in logits])
