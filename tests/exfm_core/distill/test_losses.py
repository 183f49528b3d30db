"""Each loss against NumPy; the facts of METHOD §2 that hold exactly."""

import numpy as np
import pytest
import torch

from exfm_core.distill import losses
from exfm_core.distill.gradients import scale_gradient

RNG = np.random.default_rng(0)
Z, T = RNG.normal(0, 3, 50), RNG.normal(0, 3, 50)
Y, MASK = (RNG.random(50) < 0.4).astype(float), (RNG.random(50) < 0.7).astype(float)


@pytest.fixture(autouse=True)
def same_numbers() -> None:
    """Every test draws the same numbers, whichever tests ran before it in its process."""
    RNG.bit_generator.state = np.random.default_rng(0).bit_generator.state


def tensor(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(values)


def sigmoid(z: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-z)))


def h(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.asarray(-(y * np.log(sigmoid(z)) + (1 - y) * np.log(1 - sigmoid(z))))


def test_serving_loss() -> None:
    assert np.isclose(float(losses.serving_loss(tensor(Z), tensor(Y))), h(Z, Y).mean())


def test_auxiliary_loss_scales_clips_and_masks() -> None:
    for alpha in (1.0, 0.5, 2.5):
        expected = (MASK * h(Z, np.minimum(alpha * sigmoid(T), 1))).mean()
        found = losses.auxiliary_loss(tensor(Z), tensor(T), alpha, tensor(MASK))
        assert np.isclose(float(found), expected)


def test_clipped_rows() -> None:
    found = losses.clipped_rows(tensor(T), 2.5, tensor(MASK))
    assert found == int(((2.5 * sigmoid(T) > 1) & (MASK > 0)).sum()) > 0


def test_adapter_loss() -> None:
    assert np.isclose(float(losses.adapter_loss(tensor(Z), tensor(Y), tensor(MASK))), (MASK * h(Z, Y)).mean())


def test_adapted_and_calibrated_kd_loss_stop_the_gradient() -> None:
    for loss in (losses.adapted_loss, losses.calibrated_kd_loss):
        student, label = tensor(Z).requires_grad_(), tensor(sigmoid(T)).requires_grad_()
        value = loss(student, label, tensor(MASK))
        assert np.isclose(float(value), (MASK * h(Z, sigmoid(T))).mean())
        torch.autograd.backward(value)
        assert label.grad is None
        assert student.grad is not None
        assert bool((student.grad[tensor(MASK) == 0] == 0).all())


def test_single_head_kd_inherits_the_teachers_bias() -> None:
    """Its optimum is (p + w·q) / (1 + w)."""
    p, q, w = 0.3, 0.6, 2.0
    logit = torch.zeros(1000, dtype=torch.float64, requires_grad=True)
    y = torch.zeros(1000, dtype=torch.float64)
    y[:300] = 1
    teacher = torch.full((1000,), float(np.log(q / (1 - q))), dtype=torch.float64)
    shared = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([shared], tolerance_grad=1e-12, max_iter=100)

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = losses.single_head_kd_loss(shared + logit.detach(), y, teacher, w, None)
        torch.autograd.backward(loss)
        return loss.detach()

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    assert np.isclose(float(torch.sigmoid(shared.detach())), (p + w * q) / (1 + w), atol=1e-6)


def test_gradient_scaling_is_exact() -> None:
    x = torch.randn(7, 3, generator=torch.Generator().manual_seed(0))
    for beta in (0.0, 0.25, 1.0, 3.0):
        leaf = x.clone().requires_grad_()
        scaled = scale_gradient(leaf, beta)
        assert torch.equal(scaled, leaf)
        if beta == 0.0:
            assert not scaled.requires_grad
            continue
        torch.autograd.backward((scaled * torch.arange(3)).sum())
        assert leaf.grad is not None
        assert torch.equal(leaf.grad, beta * torch.arange(3.0).expand(7, 3))
