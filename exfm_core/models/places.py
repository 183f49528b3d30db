"""Bags as the tables read them, where the ids of some sequences stay apart or features share a table.

A sequence of at most L ids becomes L bags of at most one id each, so that its ids' vectors come out unpooled, and one
fused kernel reads and trains everything: pooled features, sequences, and targets that share a sequence's table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from exfm_core.models.inputs import Inputs


@dataclass(frozen=True, slots=True)
class Bag:
    """How a sparse feature is read: from which table; `places` 0 for the mean of its ids, L for L ids apart."""

    table: str
    places: int = 0


class Places:
    """`bags`: feature → how it is read, in the model's order. `tables`: names of the tables in their order.

    The kernel's bags stand table by table: FBGEMM's CPU kernel adds up the gradients of a row over neighbouring bags of
    one table only, and would take an Adagrad step for each group apart.
    """

    def __init__(self, bags: Mapping[str, Bag], tables: Sequence[str]) -> None:
        self.features = tuple(bags)
        self.lengths = tuple(bag.places for bag in bags.values())
        self.table_of = tuple(list(tables).index(bag.table) for bag in bags.values())
        self._order = sorted(range(len(bags)), key=lambda feature: self.table_of[feature])
        widths = [max(1, self.lengths[feature]) for feature in self._order]
        self.kernel_tables = tuple(
            self.table_of[feature] for feature, width in zip(self._order, widths, strict=True) for _ in range(width)
        )
        ends = torch.tensor(widths).cumsum(0).tolist()
        self._columns = {
            feature: (end - width, end) for feature, width, end in zip(self._order, widths, ends, strict=True)
        }

    def expand(self, inputs: Inputs) -> Inputs:
        """The batch with the kernel's bags in place of the features'."""
        rows = inputs.rows
        indices, lengths = [], []
        for feature in self._order:
            bounds = inputs.offsets[feature * rows : (feature + 1) * rows + 1]
            ids, counts = inputs.indices[int(bounds[0]) : int(bounds[-1])], bounds.diff()
            if places := self.lengths[feature]:
                row = torch.repeat_interleave(torch.arange(rows), counts)
                place = torch.arange(len(ids)) - (bounds[:-1] - bounds[0])[row]
                bag = place * rows + row
                ids, counts = ids[bag.argsort()], torch.bincount(bag, minlength=places * rows)
            indices.append(ids)
            lengths.append(counts)
        offsets = torch.zeros(len(self.kernel_tables) * rows + 1, dtype=torch.int64)
        torch.cumsum(torch.cat(lengths), 0, out=offsets[1:])
        return Inputs(torch.cat(indices), offsets, inputs.dense_bn, inputs.mapped)

    def split(self, pooled_btd: Tensor) -> list[Tensor]:
        """Per feature its mean [B, D], or its ids' vectors [B, L, D]; zeros where a sequence has no id."""
        parts = []
        for feature, places in enumerate(self.lengths):
            first, last = self._columns[feature]
            parts.append(pooled_btd[:, first:last] if places else pooled_btd[:, first])
        return parts

    def masks(self, inputs: Inputs) -> dict[int, Tensor]:
        """Feature with places → float32 [B, L], 1 where there is an id."""
        counts = inputs.offsets.diff().view(len(self.features), inputs.rows)
        return {
            feature: (torch.arange(places) < counts[feature].unsqueeze(1)).to(torch.float32)
            for feature, places in enumerate(self.lengths)
            if places
        }
