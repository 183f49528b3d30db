"""A snapshot: published weights of a foundation model, with the watermark that says what it may label."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from exfm_core.errors import CheckpointError, LeakError
from exfm_core.models.embeddings import Backend
from exfm_core.models.foundation import FoundationNet
from exfm_core.spec import FoundationSpec
from exfm_core.train.checkpoints import module_state
from exfm_core.train.tensors import copy_into, pack, unpack

KIND: Final = "snapshot"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Weights ready to score. `watermark`: the largest partition end it has consumed over all streams, ISO 8601.
    `slots`: tenant slots it was trained on; another slot is served zero-shot, as the unseen tenant."""

    net: FoundationNet
    spec: FoundationSpec
    watermark: str
    slots: frozenset[int]

    def slot(self, tenant_slot: int) -> int:
        """The slot to score a tenant with."""
        return tenant_slot if tenant_slot in self.slots else 0


def save_snapshot(net: FoundationNet, spec: FoundationSpec, watermark: str, slots: frozenset[int]) -> bytes:
    """The snapshot's bytes; its name is their hash."""
    tensors = {f"tables.{n}": w for n, w in zip(net.tables.names, net.tables.kernel.weights, strict=True)}
    tensors |= {f"net.{name}": value for name, value in module_state(net).items()}
    if net.tables.managed is not None:
        tensors |= {f"ids.{name}": ids for name, ids in net.tables.managed.state(resume=False).items()}
    record: dict[str, Any] = {"spec": spec.to_json(), "watermark": watermark, "slots": sorted(slots)}
    return pack(KIND, record, tensors)


def load_snapshot(data: bytes, backend: Backend = "fused") -> Snapshot:
    """Raises CheckpointError if the bytes are damaged, of another kind, or do not fit their own spec."""
    record, tensors = unpack(data, KIND)
    try:
        spec = FoundationSpec.from_json(record["spec"])
        watermark, slots = str(record["watermark"]), frozenset(int(slot) for slot in record["slots"])
    except KeyError as error:
        raise CheckpointError("checkpoint.damaged", f"The snapshot lacks {error}.", "Publish it again.") from error
    net = FoundationNet(spec, backend)
    copy_into(dict(zip(net.tables.names, net.tables.kernel.weights, strict=True)), tensors, "tables.")
    copy_into(module_state(net), tensors, "net.")
    if net.tables.managed is not None:
        net.tables.managed.load(tensors, "ids.")
    return Snapshot(net, spec, watermark, slots)


def refuse_leak(watermark: datetime, partition_start: datetime) -> None:
    """No leak (METHOD §3, invariant 1): watermark ≤ start, or LeakError."""
    if watermark > partition_start:
        raise LeakError(
            "das.leak",
            f"The snapshot has seen data up to {watermark.isoformat()}, after the partition's start "
            f"{partition_start.isoformat()}: its labels could know the future.",
            "Score with the newest once-published snapshot whose watermark is not after the start.",
        )
