"""Embedding tables sharded over a process group by TorchRec's DistributedModelParallel.

Same interface as `models.embeddings.Tables`. What TorchRec does silently on CPU is met here: it starts sharded tables
from weights of its own (they are filled with the one-process ones), gives the pooled features in the plan's order (they
are taken by name), trains tables that it plans data-parallel with the dense optimiser (never planned), and refuses to
plan row-wise (`_Sharder` allows it).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torchrec import EmbeddingBagCollection, EmbeddingBagConfig, KeyedJaggedTensor
from torchrec.distributed.embeddingbag import EmbeddingBagCollectionSharder
from torchrec.distributed.model_parallel import DistributedModelParallel
from torchrec.distributed.planner import EmbeddingShardingPlanner, Topology
from torchrec.distributed.planner.types import ParameterConstraints, PlannerError
from torchrec.modules.embedding_configs import PoolingType
from torchrec.optim.apply_optimizer_in_backward import apply_optimizer_in_backward
from torchrec.optim.rowwise_adagrad import RowWiseAdagrad

from exfm_core.errors import SpecError
from exfm_core.models.embeddings import EPS, INITIAL_SPREAD, Tables, bag_names
from exfm_core.models.inputs import Inputs
from exfm_core.models.places import Bag, Places
from exfm_core.scale.group import Group
from exfm_core.spec import Feature

Sharding = Literal["table_wise", "row_wise"]
SHARDINGS: tuple[Sharding, ...] = ("table_wise", "row_wise")
_PREFIX = "collection.embedding_bags."


@dataclass(frozen=True, slots=True)
class Shard:
    """Rows [first, first + n) of a table. Live views: `weight` [n, D], `adagrad` [n]."""

    table: str
    first: int
    weight: Tensor
    adagrad: Tensor


class ShardedTables(Tables):
    """This process's shards, and lookups over all of them: every process calls with a batch of its own, all of the
    same number of rows. `sharding`: table → how; tables not named are planned by TorchRec's planner."""

    def __init__(
        self,
        rows: dict[str, int],
        dim: int,
        learning_rate: float,
        generator: torch.Generator,
        group: Group,
        sharding: Mapping[str, Sharding] | None = None,
        memory: int | None = None,
        bags: Mapping[str, Bag] | None = None,
    ) -> None:
        self.names, self.rows, self.dim, self.group = tuple(rows), tuple(rows.values()), dim, group
        self.places = Places(bags, self.names) if bags is not None else None
        read = [bag_names(name, self.kernel_tables.count(table)) for table, name in enumerate(rows)]
        self._keys = [key for keys in read for key in keys]
        collection = EmbeddingBagCollection(
            tables=[
                EmbeddingBagConfig(
                    name=name, embedding_dim=dim, num_embeddings=size, feature_names=keys, pooling=PoolingType.MEAN
                )
                for keys, (name, size) in zip(read, rows.items(), strict=True)
            ],
            device=torch.device("meta"),
        )
        apply_optimizer_in_backward(RowWiseAdagrad, collection.parameters(), {"lr": learning_rate, "eps": EPS})
        holder = _Holder(collection)
        self.plan = _plan(holder, rows, dim, group, sharding or {}, memory)
        self._model = DistributedModelParallel(
            holder, device=group.device, plan=self.plan, sharders=[_Sharder()], init_data_parallel=False
        )
        self.shards = tuple(self._find_shards())
        self._fill(generator)

    def _lookup(self, inputs: Inputs) -> Tensor:
        """Bags of this process's batch [B, bags, D]. All processes must call it together."""
        device = self.group.device
        pooled = self._model(
            KeyedJaggedTensor(self._keys, inputs.indices.to(device), lengths=inputs.offsets.diff().to(device))
        ).to_dict()
        return torch.stack([pooled[key] for key in self._keys], 1)

    def manage(self, features: Sequence[Feature], seed: int) -> None:
        """Raises SpecError for a managed feature: a row that changes hands lies in another process's shard."""
        if managed := [feature.name for feature in features if feature.managed]:
            raise SpecError(
                "scale.managed",
                f"Managed features ({', '.join(managed)}) are trained in one process only.",
                "Hash them, or train without torchrun.",
            )

    def state(self) -> dict[str, Tensor]:
        """Weights and Adagrad state of this process's shards alone, live: `<table>.weight@<first row>`, …"""
        return {
            key: value
            for shard in self.shards
            for key, value in (
                (f"{shard.table}.weight@{shard.first}", shard.weight),
                (f"{shard.table}.adagrad@{shard.first}", shard.adagrad),
            )
        }

    def gather(self, name: str) -> tuple[Tensor, Tensor] | None:
        """A whole table (weight [rows, D], state [rows], on CPU) in the first process, None in the others. All
        processes must call it together; memory: that one table."""
        mine = [(shard.first, shard.weight.cpu(), shard.adagrad.cpu()) for shard in self.shards if shard.table == name]
        if not self.group.first:
            dist.gather_object(mine, None)
            return None
        parts: list[Any] = [None] * self.group.world
        dist.gather_object(mine, parts)
        size = self.rows[self.names.index(name)]
        weight, adagrad = torch.empty(size, self.dim), torch.empty(size)
        for first, part, state in (piece for pieces in parts for piece in pieces):
            weight[first : first + len(part)] = part
            adagrad[first : first + len(part)] = state
        return weight, adagrad

    def _find_shards(self) -> Iterator[Shard]:
        weights = self._model.state_dict()
        states = self._model.fused_optimizer.state_dict()["state"]
        for name in self.names:
            key = f"{_PREFIX}{name}.weight"
            moments = states[key][f"{name}.momentum1"].local_shards() if key in states else []
            by_row = {moment.metadata.shard_offsets[0]: moment.tensor for moment in moments}
            for shard in weights[key].local_shards():
                first = shard.metadata.shard_offsets[0]
                yield Shard(name, first, shard.tensor.detach(), by_row[first].detach())

    @torch.no_grad()
    def _fill(self, generator: torch.Generator) -> None:
        """The initial weights of one process, drawn table by table in every process; memory: the largest table."""
        for name, size in zip(self.names, self.rows, strict=True):
            whole = torch.empty(size, self.dim).normal_(0.0, INITIAL_SPREAD, generator=generator)
            for shard in self.shards:
                if shard.table == name:
                    shard.weight.copy_(whole[shard.first : shard.first + len(shard.weight)])
                    shard.adagrad.zero_()


class _Holder(nn.Module):
    """What DistributedModelParallel wraps: the collection alone, for the dense weights are ours to average."""

    def __init__(self, collection: EmbeddingBagCollection) -> None:
        super().__init__()
        self.collection = collection

    def forward(self, features: KeyedJaggedTensor) -> Any:
        return self.collection(features)


class _Sharder(EmbeddingBagCollectionSharder):
    """Whole tables and blocks of rows, always with the optimiser inside the backward pass."""

    def sharding_types(self, compute_device_type: str) -> list[str]:
        return list(SHARDINGS)

    def compute_kernels(self, sharding_type: str, compute_device_type: str) -> list[str]:
        return ["fused"]


def _plan(
    module: nn.Module,
    rows: Mapping[str, int],
    dim: int,
    group: Group,
    sharding: Mapping[str, Sharding],
    memory: int | None,
) -> Any:
    """TorchRec's plan, the same in all processes. Raises SpecError for an unknown table or where it does not fit."""
    for table, how in sharding.items():
        if table not in rows or how not in SHARDINGS:
            raise SpecError(
                "scale.sharding",
                f"Sharding {how!r} of table {table!r} is not possible.",
                f"Tables: {', '.join(rows)}; ways: {', '.join(SHARDINGS)}.",
            )
    kind = group.device.type
    room = {} if memory is None else {"hbm_cap" if kind == "cuda" else "ddr_cap": memory}
    planner = EmbeddingShardingPlanner(
        topology=Topology(world_size=group.world, compute_device=kind, **room),
        constraints={
            table: ParameterConstraints(sharding_types=[how], compute_kernels=["fused"])
            for table, how in sharding.items()
        },
    )
    try:
        return planner.collective_plan(module, [_Sharder()], dist.group.WORLD)
    except PlannerError as error:
        need = sum(size * (dim + 1) * 4 for size in rows.values())
        raise SpecError(
            "scale.no_plan",
            f"The tables and their Adagrad state need {need / 2**30:.2f} GiB; {group.world} processes"
            + (f" with {memory / 2**30:.2f} GiB each" if memory is not None else "")
            + " do not hold them.",
            "Start more processes, or lower buckets or embedding_dim.",
        ) from error
