"""The serving state of a vertical model: tables, backbone and serving head, and nothing of the teacher.

AH, SA head and adapter are left out, so the exported model has exactly the operators, parameters and FLOPs of the same
model trained without the foundation model.
"""

from typing import Any, Final

from torch import Tensor

from exfm_core.models.vertical import VerticalNet
from exfm_core.spec import StreamSchema, VerticalSpec
from exfm_core.train.checkpoints import KIND as CHECKPOINT
from exfm_core.train.checkpoints import module_state
from exfm_core.train.tensors import pack, unpack

KIND: Final = "serving"
_SERVED: Final = ("tables.", "net.")


def export_net(net: VerticalNet, spec: VerticalSpec, schema: StreamSchema) -> bytes:
    """The serving file of a net in memory. Equal weights give equal bytes, whichever arm they come from."""
    tensors = {f"tables.{n}.weight": w for n, w in zip(net.tables.names, net.tables.kernel.weights, strict=True)}
    tensors |= {f"net.{name}": value for name, value in module_state(net).items()}
    return pack(KIND, _record(spec.to_json(), schema.to_json()), tensors)


def export_checkpoint(data: bytes) -> bytes:
    """The serving file of a checkpoint of either arm. Raises CheckpointError."""
    record, tensors = unpack(data, CHECKPOINT)
    identity = record["identity"]
    served: dict[str, Tensor] = {
        name: value for name, value in tensors.items() if name.startswith(_SERVED) and not name.endswith(".adagrad")
    }
    return pack(KIND, _record(identity["spec"], identity["schema"]), served)


def _record(spec: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """What a predictor must know: the model, and the features it reads. Supervision is no part of it."""
    features = [feature for feature in schema["features"] if feature["name"] in spec["model"]["features"]]
    return {"model": spec["model"], "features": features}
