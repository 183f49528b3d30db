"""Many arms over one read: each is what it would be alone, placebos keep coverage and lose knowledge."""

from pathlib import Path

import numpy as np
import pytest
import torch

from exfm_core.errors import SpecError
from exfm_core.spec import Supervision, VerticalSpec
from exfm_core.train.arms import Arm, neighbours, placebos, same_label_placebo
from exfm_core.train.local import Course, LocalPartition, study
from exfm_core.train.vertical import VerticalTrainer
from tests.exfm_core.train.factories import HOUR, ORIGIN, partition, rows, schema, vertical

SAFE, STRONG = Supervision("safe", aux_width=16), Supervision("strong", aux_width=16)
ROWS, PERIODS = 1500, 4


def stream(root: Path) -> list[LocalPartition]:
    found = []
    for t in range(PERIODS):
        part = partition(root, ROWS, t, seed=2)
        start = ORIGIN + t * HOUR
        found.append(LocalPartition(root / part.file.uri, part.rows, start, start + HOUR))
    return found


def teacher(t: int, *, shift: float = 0.0) -> np.ndarray:
    """Logits near the truth, three rows of four covered."""
    y = rows(ROWS, t, seed=2)["click"].to_numpy()
    noise = np.random.default_rng(t).normal(0, 1, ROWS)
    found: np.ndarray = (1.5 * y - 1.2 + 0.5 * noise + shift).astype(np.float32)
    found[::4] = np.nan
    return found


def course(root: Path, arms: list[str | Arm]) -> Course:
    return study(vertical(STRONG), schema(), stream(root), [teacher(t) for t in range(PERIODS)], arms=arms)


def test_arms_together_are_bit_identical_to_each_alone(tmp_path: Path) -> None:
    several: list[str | Arm] = [
        "control",
        "treatment",
        Arm("safe", SAFE),
        Arm("shuffled", STRONG, teacher="shuffled", gated=False),
        Arm("slow", dense_lr_scale=0.5),
    ]
    together = course(tmp_path, several)
    for arm in several:
        name = arm if isinstance(arm, str) else arm.name
        pair: list[str | Arm] = [arm] if name in ("control", "slow") else ["control", arm]
        alone = course(tmp_path, pair)
        assert np.array_equal(alone.sums(name).loss, together.sums(name).loss), name
        for one, other in zip(
            alone.trainer.students[name].net.parameters(), together.trainer.students[name].net.parameters(), strict=True
        ):
            assert torch.equal(one, other)


def test_each_arm_has_a_gate_of_its_own(tmp_path: Path) -> None:
    found = course(
        tmp_path,
        ["control", Arm("strong", STRONG), Arm("noise", STRONG, teacher="shuffled"), Arm("open", SAFE, gated=False)],
    )
    assert found.gate_of["strong"][0] is False
    assert found.gate_of["strong"][-1] is True
    assert found.gate_of["noise"] == [False] * PERIODS
    assert found.gate_of["open"] == [True] * PERIODS
    assert np.array_equal(found.sums("noise").loss, found.sums("control").loss)
    assert found.lift("strong").value is not None
    assert found.lift("control").value == 0.0


def test_placebos_keep_the_coverage() -> None:
    logits = teacher(0)
    covered = np.isfinite(logits)
    shuffled, constant, truth = (arm.labels(logits, 3) for arm in placebos(SAFE))
    for found in (shuffled, constant, truth):
        assert np.array_equal(np.isfinite(found), covered)
    assert not np.array_equal(shuffled[covered], logits[covered])
    assert np.array_equal(np.sort(shuffled[covered]), np.sort(logits[covered]))
    assert np.array_equal(shuffled, placebos(SAFE)[0].labels(logits, 3), equal_nan=True)
    assert not np.array_equal(shuffled, placebos(SAFE)[0].labels(logits, 4), equal_nan=True)
    assert set(constant[covered].tolist()) == {float(logits[covered].mean())}


def test_the_true_label_is_the_rows_own() -> None:
    arm = Arm("truth", SAFE, teacher="true_label", shift=1.0)
    assert arm.own(torch.tensor([0.0, 1.0])).tolist() == [-3.0, 5.0]


def test_the_true_label_opens_the_gate_and_is_learnt(tmp_path: Path) -> None:
    found = course(tmp_path, ["control", Arm("truth", STRONG, teacher="true_label")])
    assert found.gate_of["truth"] == [False, True, True, True]
    label, control = found.label_sums("truth"), found.sums("control", covered=True)
    assert label.loss.sum() < 0.5 * control.loss.sum()


def test_a_shift_is_added_to_the_teacher_and_the_adapter_takes_it_away(tmp_path: Path) -> None:
    logits = teacher(0)
    shifted = Arm("shifted", SAFE, shift=0.8).labels(logits, 0)
    covered = np.isfinite(logits)
    assert np.allclose(shifted[covered] - logits[covered], 0.8)
    found = course(tmp_path, ["control", Arm("shifted", SAFE, shift=0.8, gated=False)])
    biases = []
    for outcome in (found.outcomes[0], found.outcomes[-1]):
        sums = outcome.labels["shifted"]
        assert sums is not None
        biases.append(abs(float(sums.p.sum() / sums.y.sum()) - 1))
    assert biases[1] < 0.6 * biases[0]


def test_scaled_rates_are_those_of_a_spec_that_names_them(tmp_path: Path) -> None:
    spec = vertical()
    doubled = VerticalSpec.from_json(
        spec.to_json() | {"optimizer": spec.optimizer.to_json() | {"dense_lr": 2 * spec.optimizer.dense_lr}}
    )
    part = stream(tmp_path)[0]
    one = VerticalTrainer(spec, schema(), [Arm("fast", dense_lr_scale=2.0)]).train(part.open(), ROWS, None, True)
    two = VerticalTrainer(doubled, schema(), ["control"]).train(part.open(), ROWS, None, True)
    assert np.array_equal(one.arms["fast"].all.loss, two.arms["control"].all.loss)


def test_neighbours_are_controls_at_other_rates() -> None:
    found = neighbours()
    assert all(arm.supervision is None for arm in found)
    assert sorted((arm.dense_lr_scale, arm.embedding_lr_scale) for arm in found) == [(0.5, 1), (1, 0.5), (1, 2), (2, 1)]


def test_the_teachers_share_is_what_the_same_label_does_not_give(tmp_path: Path) -> None:
    others = placebos(STRONG)
    found = course(tmp_path, ["control", Arm("strong", STRONG, gated=False), *others, Arm("safe", SAFE)])
    share, lift, placebo = found.teachers_share("strong"), found.lift("strong").value, found.lift(others[2].name).value
    assert lift is not None
    assert placebo is not None
    assert share == lift - placebo
    assert found.teachers_share("safe") is None
    assert same_label_placebo(others[2], others) is None
    assert same_label_placebo(Arm("warm", STRONG, starter=True), others) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "read"},
        {"name": "a", "teacher": "shuffled"},
        {"name": "a", "shift": float("nan"), "supervision": SAFE},
        {"name": "a", "teacher": "other", "supervision": SAFE},
        {"name": "a", "dense_lr_scale": 0.0},
    ],
)
def test_an_arm_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SpecError) as caught:
        Arm(**wrong)  # type: ignore[arg-type]
    assert caught.value.mend


def test_names_are_known_and_unique() -> None:
    for arms in (["other"], ["control", "control"], []):
        with pytest.raises(SpecError):
            VerticalTrainer(vertical(), schema(), arms)
