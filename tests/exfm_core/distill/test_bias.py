"""What a biased teacher does to a serving head: single-head KD inherits the bias, separate heads and SA do not."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from exfm_core.distill.student import Student, Teacher
from exfm_core.models.inputs import Inputs
from exfm_core.spec import Supervision, VerticalSpec
from tests.exfm_core.train.factories import schema, vertical

ROWS, P = 250, 0.3
NONE: dict[str, float] = {"w": 0.0, "w_sa": 0.0, "w_kd": 0.0}


def student(**weights: float) -> Student:
    supervision = Supervision("custom", **(NONE | weights), aux_width=16)  # type: ignore[arg-type]
    base = vertical(supervision)
    rates = base.optimizer.to_json() | {"dense_lr": 0.01}
    return Student(VerticalSpec.from_json(base.to_json() | {"optimizer": rates}), schema(), supervision, "plain")


def batch() -> tuple[Inputs, Tensor]:
    """Rows that look all alike, of which exactly the share P is positive."""
    inputs = Inputs(torch.ones(3 * ROWS, dtype=torch.int64), torch.arange(3 * ROWS + 1), torch.ones(ROWS, 1))
    return inputs, (torch.arange(ROWS) < P * ROWS).float()


def rate_after(built: Student, q: float, steps: int = 400) -> float:
    """The serving head's probability once it has converged, under a teacher that says q of every row."""
    inputs, y = batch()
    teacher = Teacher(torch.full((ROWS,), math.log(q / (1 - q))), torch.ones(ROWS), complete=True, open=True)
    s_b = y
    for _ in range(steps):
        s_b, _ = built.step(inputs, y, teacher)
    return float(torch.sigmoid(s_b).mean())


@pytest.mark.parametrize(("w", "q"), [(1.0, 0.7), (2.0, 0.6), (0.5, 0.05)])
def test_a_single_head_converges_to_the_mixture(w: float, q: float) -> None:
    """σ = (p + w·q) / (1 + w), METHOD §2."""
    assert rate_after(student(w_single=w), q) == pytest.approx((P + w * q) / (1 + w), abs=0.003)


@pytest.mark.parametrize("weights", [{"w": 1.0}, {"w": 1.0, "w_sa": 1.0}, {"w": 1.0, "beta": 3.0}])
def test_separate_heads_converge_to_the_truth(weights: dict[str, float]) -> None:
    assert rate_after(student(**weights), 0.7) == pytest.approx(P, abs=0.003)


def test_calibrated_kd_converges_to_the_truth_because_the_adapter_takes_the_bias_away() -> None:
    assert rate_after(student(w_kd=1.0), 0.7) == pytest.approx(P, abs=0.01)


def test_the_auxiliary_head_converges_to_the_scaled_label() -> None:
    built = student(w=1.0, alpha=1.2)
    rate_after(built, 0.7)
    assert built.auxiliary is not None
    inputs, _ = batch()
    with torch.no_grad():
        d_b = built.auxiliary.d(built.net.represent(inputs)[0])
    assert float(torch.sigmoid(d_b).mean()) == pytest.approx(1.2 * 0.7, abs=0.005)


def test_drift_under_a_moving_bias() -> None:
    """A teacher whose bias grows pulls a single head with it; the serving head beside an AH stays calibrated."""
    rng = np.random.default_rng(0)
    heads = {"AH": student(w=1.0), "single": student(w_single=1.0)}
    totals = dict.fromkeys(heads, 0.0)
    inputs, _ = batch()
    for i in range(300):
        y = torch.tensor((rng.random(ROWS) < P).astype(np.float32))
        teacher = Teacher(torch.full((ROWS,), -1.0 + i / 100), torch.ones(ROWS), complete=True, open=True)
        for name, built in heads.items():
            s_b, _ = built.step(inputs, y, teacher)
            totals[name] += float(torch.sigmoid(s_b).mean()) / 100 if i >= 200 else 0.0
    assert abs(totals["AH"] / P - 1) < 0.05
    assert totals["single"] / P > 1.5
