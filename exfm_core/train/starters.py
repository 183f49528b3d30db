"""Starter models (METHOD §5): weights of a vertical model's shape, trained on the other consenting tenants' streams.

A new model may begin from them: an arm with `starter=True`, of which the measured default halves the dense learning
rate. Embedding rows keep their Adagrad accumulators (measured better than to reset them); Adam begins anew. A starter
carries aggregate knowledge between tenants, so it is trained on streams that consented, and never on the newcomer's.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from exfm_core.distill.student import Student
from exfm_core.errors import CheckpointError
from exfm_core.metrics.sums import BucketSums
from exfm_core.models.embeddings import Backend
from exfm_core.spec import StreamSchema, VerticalSpec
from exfm_core.train.checkpoints import module_state
from exfm_core.train.shared import Openable, SharedTrainer
from exfm_core.train.tensors import copy_into, pack, unpack

KIND: Final = "starter"


def train_starter(
    spec: VerticalSpec,
    schema: StreamSchema,
    streams: Mapping[str, StreamSchema],
    periods: Iterable[Mapping[str, Openable]],
    *,
    backend: Backend = "fused",
) -> bytes:
    """Trains a starter of `spec`'s shape over `periods` (partitions by stream name) and returns its file.

    `schema` is the newcomer's, `streams` are the others'. The newcomer's own rows must not be among them.
    """
    trainer = SharedTrainer(spec, schema, streams, backend)
    for period in periods:
        trainer.train(period)
    return save_starter(trainer.student, spec, schema)


def pooled_reference(
    spec: VerticalSpec,
    schema: StreamSchema,
    streams: Mapping[str, StreamSchema],
    periods: Iterable[Mapping[str, Openable]],
    *,
    backend: Backend = "fused",
) -> list[dict[str, BucketSums]]:
    """Progressive sums per period and stream of *one* shared model over all `streams` (METHOD §5).

    Where it beats the tenants' own models by far, those verticals should be merged, not distilled into.
    """
    trainer = SharedTrainer(spec, schema, streams, backend)
    return [trainer.train(period) for period in periods]


def save_starter(student: Student, spec: VerticalSpec, schema: StreamSchema) -> bytes:
    """The starter's safetensors bytes: served weights and embedding state, no tenant's name, no optimiser of heads.

    Nor whose ids managed features hold: other tenants' ids stay with them, and a newcomer's ids begin anew.
    """
    tensors = {f"tables.{name}": value for name, value in student.net.tables.state().items()}
    tensors |= {f"net.{name}": value for name, value in module_state(student.net).items()}
    return pack(KIND, {"shape": shape_of(spec, schema)}, tensors)


def apply_starter(student: Student, data: bytes, spec: VerticalSpec, schema: StreamSchema) -> None:
    """Overwrites a new student's served weights and embedding state. Raises CheckpointError if the starter is damaged
    or of another shape."""
    record, tensors = unpack(data, KIND)
    wanted, found = shape_of(spec, schema), record.get("shape") or {}
    different = sorted(key for key in {*wanted, *found} if wanted.get(key) != found.get(key))
    if different:
        raise CheckpointError(
            "starter.shape",
            f"The starter is of another shape: its {', '.join(different)} differ.",
            "Train a starter with this model's own spec and features.",
        )
    copy_into(student.net.tables.state(), tensors, "tables.")
    copy_into(module_state(student.net), tensors, "net.")


def shape_of(spec: VerticalSpec, schema: StreamSchema) -> dict[str, Any]:
    """What must be equal for weights to fit: the model's sizes, its tables, the kinds of its tasks."""
    features = [
        {"name": f.name, "kind": f.kind, "buckets": f.buckets, "hashed": f.hashed}
        | ({"managed": True} if f.managed else {})
        for f in spec.model.resolve(schema)
    ]
    model = {key: value for key, value in spec.model.to_json().items() if key not in ("features", "tasks")}
    return {**model, "features": features, "tasks": [schema.task(task).kind for task in spec.model.tasks]}
