"""Sequences whose ids are weighed instead of averaged: by a target (DIN, Zhou et al., KDD 2018), or by a learned query.

Keys are the vectors of a sequence's ids, [B, L, D], one place per id; `mask_bl` is 1 where there is an id. An empty
sequence gives exact zeros, whatever stands in its padding.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from exfm_core.models.layers import linear
from exfm_core.models.places import Bag
from exfm_core.spec import Feature, FoundationModel, VerticalModel


class TargetAttention(nn.Module):
    """Σ_l a(q, k_l) · k_l with the activation unit a = MLP[q; k; q − k; q ⊙ k], q the target's vector.

    The weights are not normalised: many matching ids should say more than one, which a softmax would hide.
    """

    def __init__(self, dim: int, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.hidden = linear(4 * dim, width, generator)
        self.weight = linear(width, 1, generator)

    def forward(self, target_bd: Tensor, keys_bld: Tensor, mask_bl: Tensor) -> Tensor:
        """[B, D]."""
        query = target_bd.unsqueeze(1).expand_as(keys_bld)
        seen = torch.cat([query, keys_bld, query - keys_bld, query * keys_bld], 2)
        weights_bl = self.weight(torch.relu(self.hidden(seen))).squeeze(2) * mask_bl
        return torch.bmm(weights_bl.unsqueeze(1), keys_bld).squeeze(1)


class QueryAttention(nn.Module):
    """Σ_l softmax(k_l · q / √D)_l · k_l with one learned query q per sequence.

    A learned query, not self-attention: its cost grows with L instead of L², and the teacher has no target that all
    streams share. It starts at zero, which is the mean.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.zeros(dim))
        self.scale = dim**-0.5

    def forward(self, keys_bld: Tensor, mask_bl: Tensor) -> Tensor:
        """[B, D]."""
        scores_bl = torch.matmul(keys_bld, self.query.unsqueeze(1)).squeeze(2) * self.scale
        shares_bl = torch.softmax(scores_bl.masked_fill(mask_bl == 0, FARTHEST), 1) * mask_bl
        return torch.bmm(shares_bl.unsqueeze(1), keys_bld).squeeze(1)


FARTHEST = -1e30
"""Score of a place without an id: finite, so that a row of nothing but padding is no division of zero by zero."""


class SequencePooling(nn.Module):
    """One vector per sparse feature, where some sequences come as keys. `attended`: place of such a sequence among the
    sparse features → its attention; `targets`: place of the sequence → place of its target, for target attention."""

    def __init__(self, attended: Mapping[int, nn.Module], targets: Mapping[int, int]) -> None:
        super().__init__()
        self.units = nn.ModuleDict({str(place): unit for place, unit in attended.items()})
        self.targets = dict(targets)

    def forward(self, parts: Sequence[Tensor], masks: Mapping[int, Tensor]) -> Tensor:
        """`parts`: per sparse feature its vector [B, D], or the keys [B, L, D] of an attended sequence. `masks`: place
        of such a sequence → [B, L] of 0 and 1. → [B, F, D]."""
        vectors = list(parts)
        for place, mask_bl in masks.items():
            unit = self.units[str(place)]
            query = (parts[self.targets[place]],) if place in self.targets else ()
            vectors[place] = unit(*query, parts[place], mask_bl)
        return torch.stack(vectors, 1)


def attended_bags(model: VerticalModel, sparse: Sequence[Feature]) -> dict[str, Bag] | None:
    """How a DIN model's features are read: attended sequences in places, from their target's table. None: no DIN."""
    if not model.attention:
        return None
    targets = {pair.sequence: pair.target for pair in model.attention}
    return {
        feature.name: Bag(targets[feature.name], feature.max_length) if feature.name in targets else Bag(feature.name)
        for feature in sparse
    }


def target_attention(model: VerticalModel, sparse: Sequence[Feature], generator: torch.Generator) -> SequencePooling:
    """The attention of a DIN model over its sparse features."""
    place = {feature.name: number for number, feature in enumerate(sparse)}
    units = {
        place[pair.sequence]: TargetAttention(model.embedding_dim, pair.width, generator) for pair in model.attention
    }
    return SequencePooling(units, {place[pair.sequence]: place[pair.target] for pair in model.attention})


def query_bags(model: FoundationModel, tables: Sequence[str]) -> dict[str, Bag] | None:
    """How a foundation model's features are read: sequences in places. None where it attends to none."""
    lengths = {f.name: f.max_length for f in model.features if f.kind == "sequence"}
    if model.sequence_encoder != "attention" or not lengths:
        return None
    return {table: Bag(table, lengths.get(table, 0)) for table in tables}


def query_attention(model: FoundationModel) -> SequencePooling:
    """A learned query for each of the foundation model's sequences."""
    sparse = [feature for feature in model.features if feature.sparse]
    units = {i: QueryAttention(model.embedding_dim) for i, f in enumerate(sparse) if f.kind == "sequence"}
    return SequencePooling(units, {})
