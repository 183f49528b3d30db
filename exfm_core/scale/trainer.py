"""The foundation trainer over a process group: every process reads all rows and trains on its part of each batch.

A batch of B rows is cut into `world` parts of ⌈B / world⌉ rows; the last ones are padded with rows of weight 0, so that
every process meets every exchange. Losses are sums over the batch's rows divided by B, gradients add up over the
processes: the step is the one that one process takes, up to the order of floating-point sums.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from exfm_core.models.foundation import FoundationNet
from exfm_core.scale.group import Group, agree, average_gradients
from exfm_core.scale.tables import ShardedTables, Sharding
from exfm_core.spec import FoundationSpec
from exfm_core.train.foundation import FoundationTrainer, foundation_loss
from exfm_core.train.rows import Cutter


class ShardedFoundationTrainer(FoundationTrainer):
    """As `FoundationTrainer`; all processes of `group` must call it together, with the same streams."""

    def __init__(
        self,
        spec: FoundationSpec,
        group: Group,
        sharding: Mapping[str, Sharding] | None = None,
        memory: int | None = None,
    ) -> None:
        self.group = group
        make: Any = partial(ShardedTables, group=group, sharding=sharding, memory=memory)
        super().__init__(spec, net=FoundationNet(spec, tables=make).to(group.device))

    @property
    def tables(self) -> ShardedTables:
        """The sharded tables."""
        assert isinstance(self.net.tables, ShardedTables)  # noqa: S101  for the type checker
        return self.net.tables

    def _step(self, cutter: Cutter, slots: Tensor, y_bk: Tensor, known_bk: Tensor, start: int, stop: int) -> float:
        rows, world = stop - start, self.group.world
        each = -(-rows // world)
        # The last rows stand in for the missing ones, with weight 0.
        first = min(self.group.rank * each, rows - each)
        mine = slice(first, first + each)
        weight = (torch.arange(first, first + each) >= self.group.rank * each).float().unsqueeze(1)
        device = self.group.device
        logits_bk = self.net(cutter.inputs(start + first, start + first + each), slots[mine].to(device), checked=True)
        known = (known_bk[mine] * weight).to(device)
        loss = foundation_loss(logits_bk, y_bk[mine].to(device), known) * (each * world / rows)
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        average_gradients(list(self.net.parameters()), self.group)
        self.optimizer.step()
        return float(loss.detach())

    def _finite(self) -> bool:
        return agree(self.group, super()._finite())
