"""The representation x that a model's heads share, from pooled embeddings and dense features."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from exfm_core.models.interactions import CrossLayer, dot_pairs, factorisation_machine, pairwise_dots
from exfm_core.models.layers import Mlp, linear

BackboneName = Literal["dcnv2", "dlrm", "deepfm"]


class Backbone(nn.Module):
    """[B, F, D] embeddings and [B, n] dense features → x [B, width]."""

    width: int

    def forward(self, emb_bfd: Tensor, dense_bn: Tensor) -> Tensor:
        raise NotImplementedError


class CrossBackbone(Backbone):
    """Stacked DCN-V2: cross layers, then the MLP."""

    def __init__(self, fields: int, dim: int, dense: int, mlp: tuple[int, ...], cross: int, g: torch.Generator) -> None:
        super().__init__()
        inputs = fields * dim + dense
        self.cross = nn.ModuleList(CrossLayer(inputs, g) for _ in range(cross))
        self.mlp = Mlp(inputs, mlp, g)
        self.width = mlp[-1]

    def forward(self, emb_bfd: Tensor, dense_bn: Tensor) -> Tensor:
        x0 = _flat(emb_bfd, dense_bn)
        x = x0
        for layer in self.cross:
            x = layer(x0, x)
        return torch.as_tensor(self.mlp(x))


class DotBackbone(Backbone):
    """DLRM: the dense features become one more vector; all pairwise dots and that vector feed the MLP."""

    pairs: Tensor

    def __init__(self, fields: int, dim: int, dense: int, mlp: tuple[int, ...], cross: int, g: torch.Generator) -> None:
        super().__init__()
        vectors = fields + (1 if dense else 0)
        self.bottom = linear(dense, dim, g) if dense else None
        self.register_buffer("pairs", dot_pairs(vectors), persistent=False)
        self.mlp = Mlp(len(self.pairs) + (dim if dense else 0), mlp, g)
        self.width = mlp[-1]

    def forward(self, emb_bfd: Tensor, dense_bn: Tensor) -> Tensor:
        if self.bottom is None:
            h = pairwise_dots(emb_bfd, self.pairs)
        else:
            bottom = torch.relu(self.bottom(dense_bn))
            dots = pairwise_dots(torch.cat([emb_bfd, bottom.unsqueeze(1)], 1), self.pairs)
            h = torch.cat([dots, bottom], 1)
        x: Tensor = self.mlp(h)
        return x


class FactorisationBackbone(Backbone):
    """DeepFM: the MLP beside the factorisation machine's vector."""

    def __init__(self, fields: int, dim: int, dense: int, mlp: tuple[int, ...], cross: int, g: torch.Generator) -> None:
        super().__init__()
        self.mlp = Mlp(fields * dim + dense, mlp, g)
        self.width = mlp[-1] + dim

    def forward(self, emb_bfd: Tensor, dense_bn: Tensor) -> Tensor:
        return torch.cat([self.mlp(_flat(emb_bfd, dense_bn)), factorisation_machine(emb_bfd)], 1)


def _flat(emb_bfd: Tensor, dense_bn: Tensor) -> Tensor:
    flat = emb_bfd.flatten(1)
    return torch.cat([flat, dense_bn], 1) if dense_bn.shape[1] else flat


BACKBONES: dict[str, Callable[[int, int, int, tuple[int, ...], int, torch.Generator], Backbone]] = {
    "dcnv2": CrossBackbone,
    "dlrm": DotBackbone,
    "deepfm": FactorisationBackbone,
}
"""Name in the spec → maker(fields, embedding dim, dense features, MLP widths, cross layers, generator)."""
