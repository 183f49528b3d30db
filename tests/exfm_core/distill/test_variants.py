"""Every variant of METHOD §2 on one small fixed run: golden losses, and what sets the variants apart.

The golden figures are Σ log loss in nats of the serving head's progressive predictions over two partitions of 800 rows,
plain back end, one thread. Relative tolerance 1e-4: far below any difference between variants, far above the rounding
of another instruction set.
"""

from pathlib import Path

import numpy as np
import pytest

from exfm_core.spec import Supervision
from exfm_core.train.arms import Arm
from exfm_core.train.vertical import VerticalTrainer
from tests.exfm_core.train.factories import partition, schema, vertical

ROWS = 800
NONE: dict[str, float] = {"w": 0.0, "w_sa": 0.0, "w_kd": 0.0}


def variant(name: str, **weights: float) -> Arm:
    return Arm(name, Supervision("custom", **(NONE | weights), aux_width=16))  # type: ignore[arg-type]


VARIANTS = (
    variant("none"),
    variant("single-head KD", w_single=1.0),
    variant("AH", w=1.0),
    variant("AH+GS", w=1.0, beta=2.0),
    variant("AH+LS", w=1.0, alpha=1.5),
    variant("AH+LW", w=3.0),
    variant("AH+SA", w=1.0, w_sa=1.0),
    variant("all", w=0.5, w_sa=1.0, alpha=1.5, beta=2.0),
    variant("strong", w=1.0, w_kd=1.0),
)
GOLDEN: dict[str, float] = {
    "control": 1023.9793,
    "none": 1023.9793,
    "single-head KD": 1030.8989,
    "AH": 1024.1626,
    "AH+GS": 1025.7989,
    "AH+LS": 1016.2982,
    "AH+LW": 1027.0592,
    "AH+SA": 1026.0427,
    "all": 1017.4403,
    "strong": 1027.1213,
}


def labels(period: int) -> np.ndarray:
    """A biased teacher that knows something of nothing: logits of a seeded generator, one row of five missing."""
    found = np.random.default_rng(period).normal(size=ROWS).astype(np.float32)
    found[::5] = np.nan
    return found


@pytest.fixture(scope="module")
def sums(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    root = tmp_path_factory.mktemp("variants")
    trainer = VerticalTrainer(vertical(), schema(), ["control", *VARIANTS], "plain")
    found = dict.fromkeys(trainer.arms, 0.0)
    for period in range(2):
        part = partition(root, ROWS, period, seed=4)
        outcome = trainer.train(root / part.file.uri, ROWS, labels(period), gate_open=True)
        for name, measured in outcome.arms.items():
            found[name] += float(measured.all.loss.sum())
    return found


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_losses(sums: dict[str, float], name: str) -> None:
    assert sums[name] == pytest.approx(GOLDEN[name], rel=1e-4)


def test_no_variant_is_another(sums: dict[str, float]) -> None:
    assert sums["none"] == sums["control"]
    others = [value for name, value in sums.items() if name != "none"]
    assert len(set(others)) == len(VARIANTS)
    assert set(GOLDEN) == set(sums)


def test_golden_losses_of_the_fused_back_end(tmp_path: Path, sums: dict[str, float]) -> None:
    trainer = VerticalTrainer(vertical(), schema(), VARIANTS, "fused")
    found = dict.fromkeys(trainer.arms, 0.0)
    for period in range(2):
        part = partition(tmp_path, ROWS, period, seed=4)
        for name, measured in trainer.train(tmp_path / part.file.uri, ROWS, labels(period), True).arms.items():
            found[name] += float(measured.all.loss.sum())
    for name, value in found.items():
        assert value == pytest.approx(sums[name], rel=1e-4)
