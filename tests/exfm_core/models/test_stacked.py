"""Stacked interaction blocks against their equations in NumPy."""

import numpy as np
import numpy.typing as npt
import pytest
import torch

from exfm_core.models.stacked import InteractionBlock, StackedBackbone

Floats = npt.NDArray[np.float64]


def layer(module: torch.nn.Linear, x: Floats) -> Floats:
    found: Floats = x @ module.weight.detach().numpy().T + module.bias.detach().numpy()
    return found


def normalised(module: torch.nn.LayerNorm, x: Floats) -> Floats:
    scaled = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + module.eps)
    found: Floats = scaled * module.weight.detach().numpy() + module.bias.detach().numpy()
    return found


def by_hand(block: InteractionBlock, x: Floats) -> Floats:
    """One row [n, D]."""
    mixtures = layer(block.compress, x.T)
    dots = normalised(block.norm_dots, (x @ mixtures).reshape(-1))
    crossed = layer(block.spread, np.maximum(layer(block.hidden, dots), 0)).reshape(block.crossed, -1)
    return normalised(block.norm, x + np.concatenate([crossed, layer(block.mix, x.T).T]))


@pytest.mark.parametrize("vectors", [2, 5])
@pytest.mark.parametrize("dense", [0, 3])
def test_blocks_against_numpy(vectors: int, dense: int) -> None:
    built = StackedBackbone(vectors, 8, dense, (12, 6), 2, torch.Generator().manual_seed(0))
    emb = torch.randn(4, vectors, 8, generator=torch.Generator().manual_seed(1))
    values = torch.randn(4, dense, generator=torch.Generator().manual_seed(2))
    found = built(emb, values).detach().numpy()
    for row in range(4):
        x = emb[row].numpy().astype(np.float64)
        if built.bottom is not None:
            x = np.concatenate([x, np.maximum(layer(built.bottom, values[row].numpy()), 0)[None]])
        for block in built.blocks:
            x = by_hand(block, x)
        h = x.reshape(-1)
        for linear in built.mlp.layers:
            h = np.maximum(layer(linear, h), 0)
        assert np.allclose(found[row], h, atol=1e-5)


def test_a_block_multiplies_vectors() -> None:
    """The linear part and the residual are switched off: what is left still answers to a product of two vectors."""
    block = InteractionBlock(4, 8, 16, torch.Generator().manual_seed(0))
    x = torch.randn(1, 4, 8, generator=torch.Generator().manual_seed(1), requires_grad=True)
    dots = torch.bmm(x, block.compress(x.transpose(1, 2)))
    (first,) = torch.autograd.grad(dots[0, 0, 0], x, create_graph=True)
    (second,) = torch.autograd.grad(first[0, 0].sum(), x)
    assert bool(second[0, 1].any()), "the derivative by vector 0 depends on vector 1"
