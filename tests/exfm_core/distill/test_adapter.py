"""The student adapter removes an injected shift and leaves the ranking alone."""

import numpy as np
import pytest
import torch

from exfm_core.distill import losses
from exfm_core.distill.adapter import Adapter
from exfm_core.distill.student import dense_adam
from exfm_core.metrics.auc import exact_auc


def test_starts_as_the_identity_nearly() -> None:
    adapter = Adapter(16, torch.Generator().manual_seed(0))
    t = torch.linspace(-5, 5, 101)
    assert float((adapter(t) - t).detach().abs().max()) < 0.02


def test_removes_an_injected_shift() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(-1, 1.2, 60_000).astype(np.float32)
    y = (rng.random(60_000) < 1 / (1 + np.exp(-truth))).astype(np.float32)
    shifted = torch.from_numpy(truth + 0.8)
    adapter = Adapter(16, torch.Generator().manual_seed(0))
    optimiser = dense_adam(adapter, 4e-3)
    for start in range(0, 60_000, 128):
        rows = slice(start, start + 128)
        optimiser.zero_grad()
        torch.autograd.backward(losses.adapter_loss(adapter(shifted[rows]), torch.from_numpy(y[rows]), None))
        optimiser.step()
    with torch.no_grad():
        a = adapter(shifted).numpy()
    slope, intercept = np.polyfit(truth + 0.8, a, 1)
    assert abs(slope - 1) < 0.1
    assert abs(intercept + 0.8) < 0.15
    assert abs(a.mean() - truth.mean()) < 0.1
    before, after = exact_auc(truth, y), exact_auc(a, y)
    assert before is not None
    assert after is not None
    assert abs(before - after) <= 0.002


@pytest.mark.parametrize("masked", [False, True])
def test_written_out_gradients_are_those_of_its_loss(masked: bool) -> None:
    g = torch.Generator().manual_seed(3)
    teacher, mask = torch.randn(500, generator=g), (torch.rand(500, generator=g) < 0.6).float()
    y = (torch.rand(500, generator=g) < 0.3).float()
    written, derived = (Adapter(16, torch.Generator().manual_seed(1)) for _ in range(2))
    for adapter in (written, derived):
        adapter.outer.weight.data.mul_(500.0)  # far from the identity it starts as
    a_b = derived(teacher)
    torch.autograd.backward(losses.adapter_loss(a_b, y, mask if masked else None))
    assert torch.equal(written.learn(teacher, y, mask if masked else None), a_b.detach())
    for ours, theirs in zip(written.parameters(), derived.parameters(), strict=True):
        assert ours.grad is not None
        assert theirs.grad is not None
        assert ours.grad.abs().max() > 1e-4
        assert torch.allclose(ours.grad, theirs.grad, rtol=1e-5, atol=1e-7)
