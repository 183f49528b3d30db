"""How features meet: cross layers (DCN-V2), pairwise dots (DLRM), the factorisation machine (DeepFM)."""

from typing import Any

import torch
from torch import Tensor, nn

from exfm_core.models.layers import linear


class CrossLayer(nn.Module):
    """One full-rank layer of DCN-V2 (Wang et al., WWW 2021, eq. 1): x_{l+1} = x_0 ⊙ (W x_l + b) + x_l."""

    def __init__(self, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.weight = linear(width, width, generator)

    def forward(self, x0: Tensor, xl: Tensor) -> Tensor:
        return torch.addcmul(xl, x0, self.weight(xl))


def pairwise_dots(emb_bfd: Tensor, pairs: Tensor) -> Tensor:
    """Dot products of different vectors (DLRM, Naumov et al. 2019). `pairs` holds positions in the flattened F × F
    matrix, as `dot_pairs` gives them. [B, F, D] → [B, F(F−1)/2]."""
    return torch.bmm(emb_bfd, emb_bfd.transpose(1, 2)).flatten(1).index_select(1, pairs)


def dot_pairs(fields: int) -> Tensor:
    """Positions of the strict upper triangle in a flattened fields × fields matrix."""
    rows, columns = torch.triu_indices(fields, fields, offset=1)
    pairs: Tensor = rows * fields + columns
    return pairs


def factorisation_machine(emb_bfd: Tensor) -> Tensor:
    """Σ_{i<j} v_i ⊙ v_j per dimension (Rendle 2010, lemma 3.1; the sum over D is left to the head). → [B, D]."""
    if emb_bfd.requires_grad and torch.is_grad_enabled():
        crossed: Tensor = _Factorisation.apply(emb_bfd)  # type: ignore[no-untyped-call]
        return crossed
    return _factorise(emb_bfd, emb_bfd.sum(1))


def _factorise(emb_bfd: Tensor, total_bd: Tensor) -> Tensor:
    return 0.5 * (total_bd * total_bd - (emb_bfd * emb_bfd).sum(1))


class _Factorisation(torch.autograd.Function):
    """With its gradient written out, ∂v_f = g ⊙ (Σ v − v_f): autograd's way over the squares costs three times as much,
    a tenth of a DeepFM's whole step."""

    @staticmethod
    def forward(ctx: Any, emb_bfd: Tensor) -> Tensor:
        total_bd = emb_bfd.sum(1)
        ctx.save_for_backward(emb_bfd, total_bd)
        return _factorise(emb_bfd, total_bd)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        emb_bfd, total_bd = ctx.saved_tensors
        return torch.sub(total_bd.unsqueeze(1), emb_bfd).mul_(grads[0].unsqueeze(1))


def flat(emb_bfd: Tensor, dense_bn: Tensor) -> Tensor:
    """All inputs of a row side by side: [B, F·D + n]."""
    vectors = emb_bfd.flatten(1)
    return torch.cat([vectors, dense_bn], 1) if dense_bn.shape[1] else vectors
