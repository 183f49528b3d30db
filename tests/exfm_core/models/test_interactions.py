"""Interactions and backbones against their equations in NumPy."""

import numpy as np
import pytest
import torch

from exfm_core.models.backbone import Backbone, foundation_backbone, vertical_backbone
from exfm_core.models.interactions import CrossLayer, dot_pairs, factorisation_machine, pairwise_dots
from exfm_core.spec import FOUNDATION_BACKBONES, Attention, Feature, FoundationModel, VerticalModel

EMB = torch.randn(6, 4, 8, generator=torch.Generator().manual_seed(0))


def test_cross_layer() -> None:
    layer = CrossLayer(8, torch.Generator().manual_seed(0))
    x0, xl = EMB[:, 0], EMB[:, 1]
    w, b = layer.weight.weight.detach().numpy(), layer.weight.bias.detach().numpy()
    expected = x0.numpy() * (xl.numpy() @ w.T + b) + xl.numpy()
    assert np.allclose(layer(x0, xl).detach().numpy(), expected, atol=1e-6)


def test_pairwise_dots() -> None:
    found = pairwise_dots(EMB, dot_pairs(4)).numpy()
    expected = [[EMB[b, i] @ EMB[b, j] for i in range(4) for j in range(i + 1, 4)] for b in range(6)]
    assert np.allclose(found, np.array(expected), atol=1e-5)


def test_factorisation_machine() -> None:
    expected = sum(EMB[:, i] * EMB[:, j] for i in range(4) for j in range(i + 1, 4))
    assert torch.allclose(factorisation_machine(EMB), torch.as_tensor(expected), atol=1e-5)


def test_factorisation_machine_sends_back_what_its_sum_of_pairs_does() -> None:
    ours, pairs = EMB.clone().requires_grad_(), EMB.clone().requires_grad_()
    sent = torch.randn(6, 8, generator=torch.Generator().manual_seed(1))
    crossed = factorisation_machine(ours)
    assert torch.equal(crossed.detach(), factorisation_machine(EMB))
    torch.autograd.backward(crossed, sent)
    total = torch.stack([pairs[:, i] * pairs[:, j] for i in range(4) for j in range(i + 1, 4)]).sum(0)
    torch.autograd.backward(total, sent)
    assert ours.grad is not None
    assert torch.allclose(ours.grad, torch.as_tensor(pairs.grad), atol=1e-5)


def build(name: str, dense: int, seed: int = 0) -> Backbone:
    """Over four vectors of eight, by name; two tasks where a backbone tells tasks apart."""
    generator = torch.Generator().manual_seed(seed)
    if name in FOUNDATION_BACKBONES:
        shape = FoundationModel((Feature("a", buckets=2),), ("click",), name, 8, (16, 5), 2)  # type: ignore[arg-type]
        return foundation_backbone(shape, 4, dense, generator)
    pairs = (Attention("a", "b"),) if name == "din" else ()
    model = VerticalModel(("a", "b"), ("click", "like"), name, 8, (16, 5), attention=pairs)  # type: ignore[arg-type]
    return vertical_backbone(model, 4, dense, generator)


NAMES = (*FOUNDATION_BACKBONES, "mmoe", "din")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dense", [0, 3])
def test_backbones_give_their_width(name: str, dense: int) -> None:
    backbone = build(name, dense)
    x = backbone(EMB, torch.ones(6, dense))
    assert x.shape == ((6, 2, backbone.width) if name == "mmoe" else (6, backbone.width))
    torch.autograd.backward(x.sum())
    assert all(weight.grad is not None for weight in backbone.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_weights_come_from_the_generator_alone(name: str) -> None:
    torch.manual_seed(1)
    one = build(name, 1, seed=5)
    torch.manual_seed(2)
    two = build(name, 1, seed=5)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
