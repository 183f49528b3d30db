"""Weights and state as one file: safetensors with one JSON record in its metadata. No pickle, ever."""

import json
from collections.abc import Mapping
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_bytes
from safetensors.torch import save as save_bytes
from torch import Tensor

from exfm_core.errors import CheckpointError

KEY: Final = "exfm"
FORMAT: Final = 1
SUFFIX: Final = ".safetensors"


def pack(kind: str, record: dict[str, Any], tensors: dict[str, Tensor]) -> bytes:
    """The file's bytes. The same state gives the same bytes: keys are sorted and the metadata has one entry."""
    header = json.dumps({"kind": kind, "format": FORMAT, **record}, sort_keys=True, allow_nan=False)
    copies = {name: tensors[name].detach().contiguous().clone() for name in sorted(tensors)}
    return save_bytes(copies, {KEY: header})


def unpack(data: bytes, kind: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Record and tensors. Raises CheckpointError if the bytes are damaged or of another kind."""
    try:
        tensors = load_bytes(data)
        size = int.from_bytes(data[:8], "little")
        record = json.loads(json.loads(data[8 : 8 + size])["__metadata__"][KEY])
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise CheckpointError(
            "checkpoint.damaged",
            f"This is not a readable {kind}: {reason}.",
            "Take an undamaged copy, or the one committed before it; if there is none, start a new lineage.",
        ) from error
    if record.get("kind") != kind or record.get("format") != FORMAT:
        raise CheckpointError(
            "checkpoint.kind",
            f"This file is a {record.get('kind')!r} of format {record.get('format')!r}, not a {kind!r} of {FORMAT}.",
            "Name a file that this release wrote for this purpose.",
        )
    return record, tensors


def copy_into(targets: Mapping[str, Tensor], tensors: Mapping[str, Tensor], prefix: str) -> None:
    """Copies `<prefix><name>` into every live tensor of `targets`, in place. Raises CheckpointError if one is missing
    or has another shape."""
    with torch.no_grad():
        for name, target in targets.items():
            found = tensors.get(prefix + name)
            if found is None or found.shape != target.shape or found.dtype != target.dtype:
                shape = "missing" if found is None else f"{found.dtype} {tuple(found.shape)}"
                raise CheckpointError(
                    "checkpoint.shape",
                    f"Tensor {prefix + name!r} is {shape}, the spec needs {target.dtype} {tuple(target.shape)}.",
                    "A lineage goes on only with the spec it began with: open a new one.",
                )
            target.copy_(found)
