"""Resume state of a lineage: weights, what hangs on them, optimisers, generators, stream position. Never served."""

from typing import Any, Final

import torch
from torch import Tensor, nn

from exfm_core.distill.student import Student
from exfm_core.errors import CheckpointError, SpecError
from exfm_core.models.embeddings import Tables
from exfm_core.models.foundation import FoundationNet
from exfm_core.spec import FoundationSpec, Record, StreamSchema, VerticalSpec
from exfm_core.train.heldback import KeptRows
from exfm_core.train.tensors import copy_into, pack, unpack

KIND: Final = "checkpoint"
_MOMENTS: Final = ("step", "exp_avg", "exp_avg_sq")


def module_state(module: nn.Module) -> dict[str, Tensor]:
    """Live weights of a module by name (not its tables: those are no module)."""
    return dict(module.named_parameters())


def optimizer_state(module: nn.Module, optimizer: torch.optim.Adam) -> dict[str, Tensor]:
    """`<weight>.<moment>` of every weight that was ever updated."""
    found: dict[str, Tensor] = {}
    for name, weight in module.named_parameters():
        for moment, value in optimizer.state.get(weight, {}).items():
            found[f"{name}.{moment}"] = value
    return found


def load_optimizer(module: nn.Module, optimizer: torch.optim.Adam, tensors: dict[str, Tensor], prefix: str) -> None:
    """Sets the moments of exactly the weights that have them in `tensors`."""
    for name, weight in module.named_parameters():
        moments = {m: tensors[f"{prefix}{name}.{m}"] for m in _MOMENTS if f"{prefix}{name}.{m}" in tensors}
        if not moments:
            optimizer.state.pop(weight, None)
        elif len(moments) < len(_MOMENTS) or moments["exp_avg"].shape != weight.shape:
            raise CheckpointError(
                "checkpoint.optimizer", f"The optimiser state of {prefix + name!r} is incomplete.", "Use another one."
            )
        else:
            optimizer.state[weight] = {moment: value.clone() for moment, value in moments.items()}


class _Part:
    """A module with its optimiser under one name."""

    def __init__(self, name: str, module: nn.Module, optimizer: torch.optim.Adam) -> None:
        self.name, self.module, self.optimizer = name, module, optimizer


def _student_parts(student: Student) -> list[_Part]:
    parts = [_Part("net", student.net, student.optimizer)]
    for task, hanging in enumerate(student.hanging):
        number = str(task) if task else ""
        parts.append(_Part(f"auxiliary{number}", hanging.auxiliary, hanging.auxiliary_optimizer))
        parts.append(_Part(f"adapter{number}", hanging.adapter, hanging.adapter_optimizer))
    return parts


def _collect(tables: Tables, parts: list[_Part]) -> dict[str, Tensor]:
    tensors = {f"tables.{name}": value for name, value in tables.state().items()}
    if tables.managed is not None:
        tensors |= {f"ids.{name}": value for name, value in tables.managed.state().items()}
    for part in parts:
        tensors |= {f"{part.name}.{name}": value for name, value in module_state(part.module).items()}
        state = optimizer_state(part.module, part.optimizer)
        tensors |= {f"adam.{part.name}.{name}": value for name, value in state.items()}
    return tensors


def _restore(tables: Tables, parts: list[_Part], tensors: dict[str, Tensor]) -> None:
    copy_into(tables.state(), tensors, "tables.")
    if tables.managed is not None:
        tables.managed.load(tensors, "ids.")
    for part in parts:
        copy_into(module_state(part.module), tensors, f"{part.name}.")
        load_optimizer(part.module, part.optimizer, tensors, f"adam.{part.name}.")


def save_student(student: Student, identity: dict[str, Any], position: dict[str, Any]) -> bytes:
    """The arm's checkpoint. `identity` (spec, schema, arm) must be equal when it is loaded again."""
    tensors = _collect(student.net.tables, _student_parts(student))
    return pack(KIND, {"identity": identity, "position": position}, tensors)


def load_student(student: Student, data: bytes, identity: dict[str, Any]) -> dict[str, Any]:
    """Restores the arm bit by bit; returns the position it was saved at. Raises CheckpointError."""
    record, tensors = _open(data, identity, VerticalSpec)
    _restore(student.net.tables, _student_parts(student), tensors)
    return dict(record["position"])


def save_foundation(
    net: FoundationNet,
    optimizer: torch.optim.Adam,
    identity: dict[str, Any],
    position: dict[str, Any],
    kept: KeptRows | None = None,
) -> bytes:
    """The foundation lineage's checkpoint, with the held-back rows that its publishing gate keeps."""
    tensors = _collect(net.tables, [_Part("net", net, optimizer)])
    tensors |= {} if kept is None else kept.tensors()
    return pack(KIND, {"identity": identity, "position": position}, tensors)


def load_foundation(
    net: FoundationNet,
    optimizer: torch.optim.Adam,
    data: bytes,
    identity: dict[str, Any],
    kept: KeptRows | None = None,
) -> dict[str, Any]:
    """Restores the foundation lineage; returns its position. Raises CheckpointError."""
    record, tensors = _open(data, identity, FoundationSpec)
    _restore(net.tables, [_Part("net", net, optimizer)], tensors)
    if kept is not None:
        kept.load(tensors)
    return dict(record["position"])


def _open(
    data: bytes, identity: dict[str, Any], spec: type[VerticalSpec] | type[FoundationSpec]
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    record, tensors = unpack(data, KIND)
    found, identity = (_of_today(one, spec) for one in (record.get("identity") or {}, identity))
    different = sorted(key for key in {*identity, *found} if identity.get(key) != found.get(key))
    if different:
        raise CheckpointError(
            "checkpoint.identity",
            f"The checkpoint belongs to another course of training: its {', '.join(different)} differ.",
            "A lineage goes on only with the spec, schema and arm it began with: open a new one.",
        )
    return record, tensors


def _of_today(identity: dict[str, Any], spec: type[VerticalSpec] | type[FoundationSpec]) -> dict[str, Any]:
    """The identity as this release writes it: an older one, in fewer fields, may be the same course of training."""
    readers: dict[str, type[Record]] = {"spec": spec, "schema": StreamSchema}
    try:
        return {
            name: readers[name].from_json(value).to_json() if name in readers else value
            for name, value in identity.items()
        }
    except SpecError:
        return identity
