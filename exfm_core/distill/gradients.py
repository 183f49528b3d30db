"""Gradient scaling (GS): what a head sends into the backbone is multiplied by β; the forward pass is unchanged."""

from typing import Any

import torch
from torch import Tensor


class _Scale(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, beta: float) -> Tensor:
        ctx.beta = beta
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return grads[0] * ctx.beta, None


def scale_gradient(x: Tensor, beta: float) -> Tensor:
    """x itself, with gradient β·g. β = 1 adds no operator at all; β = 0 sends exactly nothing."""
    if beta == 1.0:
        return x
    if beta == 0.0:
        return x.detach()
    scaled: Tensor = _Scale.apply(x, beta)  # type: ignore[no-untyped-call]
    return scaled
