"""Shared experts with a gate per task, against the equation in NumPy and by where gradients go."""

import numpy as np
import torch

from exfm_core.models.experts import MixtureBackbone

EMB = torch.randn(6, 3, 4, generator=torch.Generator().manual_seed(0))
DENSE = torch.randn(6, 2, generator=torch.Generator().manual_seed(1))


def mixture() -> MixtureBackbone:
    return MixtureBackbone(3 * 4 + 2, (10, 5), 3, 2, torch.Generator().manual_seed(2))


def test_each_task_weighs_the_experts_in_its_own_way() -> None:
    built = mixture()
    h = np.concatenate([EMB.flatten(1).numpy(), DENSE.numpy()], 1)
    known = []
    for expert in built.experts:
        out = h
        for layer in expert.layers:
            out = np.maximum(out @ layer.weight.detach().numpy().T + layer.bias.detach().numpy(), 0)
        known.append(out)
    expected = np.zeros((6, 2, 5))
    for task, gate in enumerate(built.gates):
        scores = h @ gate.weight.detach().numpy().T + gate.bias.detach().numpy()
        shares = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
        expected[:, task] = sum(shares[:, e, None] * known[e] for e in range(3))
    found = built(EMB, DENSE).detach()
    assert np.allclose(found, expected, atol=1e-6)
    assert not torch.allclose(found[:, 0], found[:, 1])


def test_a_task_trains_all_experts_and_its_gate_alone() -> None:
    built = mixture()
    torch.autograd.backward(built(EMB, DENSE)[:, 0].sum())
    mine, other = built.gates
    assert all(bool(w.grad.any()) for w in [*built.experts.parameters(), *mine.parameters()] if w.grad is not None)
    assert all(w.grad is not None for w in built.experts.parameters())
    assert all(w.grad is None or not bool(w.grad.any()) for w in other.parameters())
