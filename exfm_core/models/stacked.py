"""Stacked interaction blocks: a foundation model that grows by layers, in the manner of Wukong (Zhang et al. 2024) and
DHEN (Zhang et al. 2022).

Every block takes n vectors and gives n vectors. Beside each other stand a factorisation-machine block, whose output
holds products of the vectors, and a linear block, which passes on mixtures of them; a residual and a layer norm end the
block. So l blocks reach interactions up to degree 2^l.
"""

import torch
from torch import Tensor, nn

from exfm_core.models.layers import Mlp, linear


class InteractionBlock(nn.Module):
    """[B, n, D] → [B, n, D]: LayerNorm(X + [FM(X); linear(X)]).

    FM: dots of X with r = ⌈n/2⌉ mixtures of itself, [n, r], layer norm, one hidden layer, r new vectors. Dots with r
    mixtures instead of with all n vectors cost n·r instead of n². linear: the other ⌊n/2⌋ new vectors.
    """

    def __init__(self, vectors: int, dim: int, hidden: int, g: torch.Generator) -> None:
        super().__init__()
        self.crossed = (vectors + 1) // 2
        self.compress = linear(vectors, self.crossed, g)
        self.norm_dots = nn.LayerNorm(vectors * self.crossed)
        self.hidden = linear(vectors * self.crossed, hidden, g)
        self.spread = linear(hidden, self.crossed * dim, g)
        self.mix = linear(vectors, vectors - self.crossed, g)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x_bnd: Tensor) -> Tensor:
        x_bdn = x_bnd.transpose(1, 2)
        dots_bnr = torch.bmm(x_bnd, self.compress(x_bdn))
        crossed = self.spread(torch.relu(self.hidden(self.norm_dots(dots_bnr.flatten(1)))))
        linear_part = self.mix(x_bdn).transpose(1, 2)
        both = torch.cat([crossed.unflatten(1, (self.crossed, -1)), linear_part], 1)
        out: Tensor = self.norm(x_bnd + both)
        return out


class StackedBackbone(nn.Module):
    """`layers` interaction blocks over the features' vectors and, where there are dense features, one vector of those;
    then the MLP. The blocks' hidden layers are as wide as the MLP's first one."""

    def __init__(
        self, fields: int, dim: int, dense: int, mlp: tuple[int, ...], layers: int, g: torch.Generator
    ) -> None:
        super().__init__()
        vectors = fields + (1 if dense else 0)
        self.bottom = linear(dense, dim, g) if dense else None
        self.blocks = nn.ModuleList(InteractionBlock(vectors, dim, mlp[0], g) for _ in range(layers))
        self.mlp = Mlp(vectors * dim, mlp, g)
        self.width = mlp[-1]

    def forward(self, emb_bfd: Tensor, dense_bn: Tensor) -> Tensor:
        x_bnd = emb_bfd
        if self.bottom is not None:
            x_bnd = torch.cat([emb_bfd, torch.relu(self.bottom(dense_bn)).unsqueeze(1)], 1)
        for block in self.blocks:
            x_bnd = block(x_bnd)
        x: Tensor = self.mlp(x_bnd.flatten(1))
        return x
