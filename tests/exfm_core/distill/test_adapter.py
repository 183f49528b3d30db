"""The student adapter removes an injected shift and leaves the ranking alone."""

import numpy as np
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
