"""The dense optimiser: torch's Adam, bit by bit, with less around it."""

import torch
from torch import Tensor

from exfm_core.distill.adam import DenseAdam

SHAPES = ((7, 5), (7,), (1, 7), (1,))


def weights() -> list[Tensor]:
    g = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=g).requires_grad_() for shape in SHAPES]


def test_same_bits_and_same_state_as_torchs_fused_adam() -> None:
    ours, theirs = weights(), weights()
    fast, reference = DenseAdam(ours, 3e-3), torch.optim.Adam(theirs, lr=3e-3, fused=True)
    g = torch.Generator().manual_seed(1)
    for step in range(7):
        for place, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            if step == 2 and place == 1:  # a weight that no term reached has no gradient and stays
                a.grad = b.grad = None
                continue
            a.grad = torch.randn(a.shape, generator=g)
            b.grad = a.grad.clone()
        fast.step()
        reference.step()
        assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))
    for a, b in zip(ours, theirs, strict=True):
        assert fast.state[a].keys() == reference.state[b].keys()
        assert all(torch.equal(fast.state[a][key], reference.state[b][key]) for key in reference.state[b])
    fast.zero_grad()
    assert all(weight.grad is None for weight in ours)


def test_without_any_gradient_nothing_moves() -> None:
    ours, before = weights(), weights()
    optimiser = DenseAdam(ours, 3e-3)
    optimiser.step()
    assert all(torch.equal(a, b) for a, b in zip(ours, before, strict=True))
    assert not optimiser.state
