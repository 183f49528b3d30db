"""The serving state of a vertical model: tables, backbone and serving heads, and nothing of the teacher.

AH, SA head and adapter are left out, so the exported model has exactly the operators, parameters and FLOPs of the same
model trained without the foundation model.
"""

from dataclasses import dataclass
from typing import Any, Final

from torch import Tensor

from exfm_core.errors import CheckpointError
from exfm_core.models.vertical import VerticalNet
from exfm_core.spec import Feature, StreamSchema, Task, VerticalModel, VerticalSpec
from exfm_core.train.checkpoints import KIND as CHECKPOINT
from exfm_core.train.checkpoints import module_state
from exfm_core.train.tensors import copy_into, pack, unpack

KIND: Final = "serving"
_SERVED: Final = ("tables.", "net.", "ids.")
_RESUMED: Final = (".adagrad", ".used", ".clock")
"""Ends of the names of what only a trainer needs."""


@dataclass(frozen=True, slots=True)
class Served:
    """A vertical model ready to be exported. `net`: its weights, in the training code's own module; `features`: what
    it reads, in its order; `origin`: where the weights come from (file kind, arm, position in the stream)."""

    model: VerticalModel
    features: tuple[Feature, ...]
    net: VerticalNet
    origin: dict[str, Any]


def export_net(net: VerticalNet, spec: VerticalSpec, schema: StreamSchema) -> bytes:
    """The serving file of a net in memory. Equal weights give equal bytes, whichever arm they come from."""
    tensors = {f"tables.{n}.weight": w for n, w in zip(net.tables.names, net.tables.kernel.weights, strict=True)}
    tensors |= {f"net.{name}": value for name, value in module_state(net).items()}
    if net.tables.managed is not None:
        tensors |= {f"ids.{name}": ids for name, ids in net.tables.managed.state(resume=False).items()}
    return pack(KIND, _record(spec.to_json(), schema.to_json()), tensors)


def export_checkpoint(data: bytes) -> bytes:
    """The serving file of a checkpoint of any arm of a vertical model. Raises CheckpointError."""
    record, tensors = unpack(data, CHECKPOINT)
    identity = _vertical(record)
    served: dict[str, Tensor] = {
        name: value for name, value in tensors.items() if name.startswith(_SERVED) and not name.endswith(_RESUMED)
    }
    return pack(KIND, _record(identity["spec"], identity["schema"]), served)


def load_served(data: bytes) -> Served:
    """The model in a serving file or a vertical model's checkpoint. Raises CheckpointError."""
    try:
        record, tensors = unpack(data, KIND)
        origin: dict[str, Any] = {"kind": KIND}
    except CheckpointError as error:
        if error.code != "checkpoint.kind":
            raise
        record, tensors = unpack(data, CHECKPOINT)
        identity = _vertical(record)
        origin = {"kind": CHECKPOINT, "arm": identity.get("arm"), "position": record.get("position")}
        record = _record(identity["spec"], identity["schema"])
    body = {"model": record["model"]}
    spec = VerticalSpec.from_json(body | {"schema_version": record.get("schema_version", 1)})
    by_name = {feature["name"]: Feature.from_json(feature) for feature in record["features"]}
    features = tuple(by_name[name] for name in spec.model.features)
    tasks = tuple(Task(task, f"kind_{i}", f"label_{i}") for i, task in enumerate(spec.model.tasks))
    net = VerticalNet(spec, StreamSchema(features, tasks, user_key=None), backend="plain")
    weights = zip(net.tables.names, net.tables.kernel.weights, strict=True)
    copy_into({f"{name}.weight": weight for name, weight in weights}, tensors, "tables.")
    copy_into(module_state(net), tensors, "net.")
    if net.tables.managed is not None:
        net.tables.managed.load(tensors, "ids.")
    net.eval()
    return Served(spec.model, features, net, origin)


def _vertical(record: dict[str, Any]) -> dict[str, Any]:
    identity: dict[str, Any] = record.get("identity") or {}
    if not {"spec", "schema"} <= set(identity):
        raise CheckpointError(
            "export.not_vertical",
            "This is no vertical model's checkpoint: a foundation model never serves a user.",
            "Name a checkpoint of a vertical model's control or treatment arm.",
        )
    return identity


def _record(spec: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """What a predictor must know: the model, and the features it reads. Supervision is no part of it."""
    features = [feature for feature in schema["features"] if feature["name"] in spec["model"]["features"]]
    return {"model": spec["model"], "schema_version": spec.get("schema_version", 1), "features": features}
