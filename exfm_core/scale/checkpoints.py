"""A sharded lineage on disk: a folder that any number of processes can write and any other number can read.

    shard-<rank>.safetensors   the process's rows of each table, weights and Adagrad state
    dense.safetensors          dense weights and their Adam moments, from the first process
    index.json                 identity, position, which file holds which rows, SHA-256 of each file

The folder appears under its name when it is complete. `whole` turns a sharded trainer into the one-process form, whose
checkpoint and snapshot everything else reads; `spread` is the way back.
"""

import json
import shutil
from pathlib import Path
from typing import Any, Final

import torch
import torch.distributed as dist
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from exfm_core.data.partitions import file_sha256
from exfm_core.errors import CheckpointError
from exfm_core.scale.trainer import ShardedFoundationTrainer
from exfm_core.train.checkpoints import load_optimizer, module_state, optimizer_state
from exfm_core.train.foundation import FoundationTrainer
from exfm_core.train.tensors import copy_into

FORMAT: Final = 1
INDEX: Final = "index.json"
DENSE: Final = "dense.safetensors"


def save_shards(
    trainer: ShardedFoundationTrainer, folder: Path, identity: dict[str, Any], position: dict[str, Any]
) -> None:
    """Writes the folder; every process writes its own shards. Raises CheckpointError if it exists."""
    group, part = trainer.group, folder.with_name(folder.name + ".part")
    if group.first:
        if folder.exists():
            raise CheckpointError("checkpoint.exists", f"{folder} is there already.", "Checkpoints never change.")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        save_file(_copies(_dense(trainer)), part / DENSE)
    dist.barrier()
    mine = part / f"shard-{group.rank}.safetensors"
    save_file(_copies(trainer.tables.state()), mine)
    rows = [[shard.table, shard.first, len(shard.weight)] for shard in trainer.tables.shards]
    found: list[Any] = [None] * group.world
    dist.all_gather_object(found, (mine.name, rows, file_sha256(mine)[0]))
    if group.first:
        index = {
            "format": FORMAT,
            "identity": identity,
            "position": position,
            "shards": {name: rows for name, rows, _ in found},
            "sha256": {DENSE: file_sha256(part / DENSE)[0]} | {name: digest for name, _, digest in found},
        }
        (part / INDEX).write_text(json.dumps(index, sort_keys=True, indent=1))
        part.rename(folder)
    dist.barrier()


def load_shards(trainer: ShardedFoundationTrainer, folder: Path, identity: dict[str, Any]) -> dict[str, Any]:
    """Fills this process's shards, whatever the number of processes that wrote; returns the position. Raises
    CheckpointError if a file is missing, damaged or another lineage's."""
    index = _read_index(folder, identity)
    for name, digest in index["sha256"].items():
        path = folder / name
        if not path.is_file() or file_sha256(path)[0] != digest:
            raise CheckpointError("checkpoint.damaged", f"{path} is missing or damaged.", "Use the one before it.")
    pieces = [(table, first, rows, name) for name, parts in index["shards"].items() for table, first, rows in parts]
    with torch.no_grad():
        for shard in trainer.tables.shards:
            filled = 0
            for table, first, rows, name in pieces:
                low, high = max(first, shard.first), min(first + rows, shard.first + len(shard.weight))
                if table != shard.table or low >= high:
                    continue
                with safe_open(folder / name, "pt") as file:
                    for kind, target in (("weight", shard.weight), ("adagrad", shard.adagrad)):
                        part = file.get_slice(f"{table}.{kind}@{first}")[low - first : high - first]
                        target[low - shard.first : high - shard.first].copy_(part)
                filled += high - low
            if filled != len(shard.weight):
                raise CheckpointError(
                    "checkpoint.shape",
                    f"The checkpoint holds {filled} of {len(shard.weight)} rows of table {shard.table!r}.",
                    "A lineage goes on only with the spec it began with: open a new one.",
                )
    _load_dense(trainer, folder)
    return dict(index["position"])


def whole(trainer: ShardedFoundationTrainer) -> FoundationTrainer | None:
    """The same trainer in one process, on CPU, in the first process; None in the others. Memory: all tables."""
    one = FoundationTrainer(trainer.spec, "plain") if trainer.group.first else None
    for name in trainer.tables.names:
        table = trainer.tables.gather(name)
        if one is not None and table is not None:
            state = one.net.tables.state()
            with torch.no_grad():
                state[f"{name}.weight"].copy_(table[0])
                state[f"{name}.adagrad"].copy_(table[1])
    if one is None:
        return None
    copy_into(module_state(one.net), _on_cpu(module_state(trainer.net)), "")
    load_optimizer(one.net, one.optimizer, _on_cpu(optimizer_state(trainer.net, trainer.optimizer)), "")
    one.slots, one.rows_seen = trainer.slots, trainer.rows_seen
    return one


def spread(one: FoundationTrainer, trainer: ShardedFoundationTrainer) -> None:
    """Fills a sharded trainer from a one-process one, which every process must hold."""
    state = one.net.tables.state()
    with torch.no_grad():
        for shard in trainer.tables.shards:
            rows = slice(shard.first, shard.first + len(shard.weight))
            shard.weight.copy_(state[f"{shard.table}.weight"][rows])
            shard.adagrad.copy_(state[f"{shard.table}.adagrad"][rows])
    copy_into(module_state(trainer.net), module_state(one.net), "")
    load_optimizer(trainer.net, trainer.optimizer, optimizer_state(one.net, one.optimizer), "")
    trainer.slots, trainer.rows_seen = one.slots, one.rows_seen


def _dense(trainer: ShardedFoundationTrainer) -> dict[str, Tensor]:
    moments = optimizer_state(trainer.net, trainer.optimizer)
    return module_state(trainer.net) | {f"adam.{name}": value for name, value in moments.items()}


def _load_dense(trainer: ShardedFoundationTrainer, folder: Path) -> None:
    with safe_open(folder / DENSE, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  no mapping
    copy_into(module_state(trainer.net), tensors, "")
    load_optimizer(trainer.net, trainer.optimizer, tensors, "adam.")


def _read_index(folder: Path, identity: dict[str, Any]) -> dict[str, Any]:
    try:
        index = json.loads((folder / INDEX).read_text())
        different = sorted(k for k in {*identity, *index["identity"]} if identity.get(k) != index["identity"].get(k))
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise CheckpointError(
            "checkpoint.damaged", f"{folder} is no readable sharded checkpoint: {error}.", "Use the one before it."
        ) from error
    if index.get("format") != FORMAT or different:
        raise CheckpointError(
            "checkpoint.identity",
            f"{folder} belongs to another course of training: {', '.join(different) or 'format'} differ.",
            "A lineage goes on only with the spec it began with: open a new one.",
        )
    return dict(index)


def _copies(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}


def _on_cpu(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().cpu() for name, value in tensors.items()}
