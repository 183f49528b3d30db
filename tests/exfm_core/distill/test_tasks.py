"""Several tasks in one vertical model: each has its own AH, SA, label, mask and gate."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from exfm_core.data.partitions import write_partition
from exfm_core.distill.student import Student, Teacher
from exfm_core.errors import DataError
from exfm_core.models.inputs import Inputs
from exfm_core.spec import StreamSchema, Supervision, Task, VerticalModel, VerticalSpec
from exfm_core.train.arms import Arm
from exfm_core.train.checkpoints import load_student, save_student
from exfm_core.train.local import LocalPartition, study
from exfm_core.train.vertical import VerticalTrainer
from tests.exfm_core.train.factories import HOUR, ORIGIN, rows, schema, vertical

SCHEMA = StreamSchema(schema().features, (Task("click", "click", "click"), Task("like", "like", "liked")))
BATCH = 32


def spec(supervision: Supervision, tasks: tuple[str, ...] = ("click", "like"), backbone: str = "dcnv2") -> VerticalSpec:
    base = vertical(supervision)
    model = VerticalModel.from_json(base.model.to_json() | {"tasks": list(tasks), "backbone": backbone})
    return VerticalSpec(model, base.optimizer, supervision, base.seed)


def custom(**weights: float) -> Supervision:
    return Supervision("custom", **({"w": 0.0, "w_sa": 0.0, "w_kd": 0.0, "aux_width": 16} | weights))  # type: ignore[arg-type]


ALL = custom(w=1.0, w_sa=1.0, w_kd=1.0)


def student(supervision: Supervision | None, backbone: str = "dcnv2") -> Student:
    return Student(spec(supervision or ALL, backbone=backbone), SCHEMA, supervision)


def batch(seed: int = 0) -> tuple[Inputs, tuple[Tensor, Tensor], tuple[Teacher, Teacher]]:
    g = torch.Generator().manual_seed(seed)
    ids = [torch.randint(0, size, (BATCH,), generator=g) for size in (50, 50, 4)]
    inputs = Inputs(torch.cat(ids), torch.arange(3 * BATCH + 1), torch.randn(BATCH, 1, generator=g))
    ys = tuple((torch.rand(BATCH, generator=g) < rate).float() for rate in (0.4, 0.1))
    masks = [(torch.rand(BATCH, generator=g) < 0.7).float() for _ in ys]
    teachers = tuple(Teacher(torch.randn(BATCH, generator=g) * mask, mask, False, True) for mask in masks)
    return inputs, (ys[0], ys[1]), (teachers[0], teachers[1])


def served(built: Student) -> list[Tensor]:
    return [*built.net.tables.state().values(), *built.net.parameters()]


@pytest.mark.parametrize("backbone", ["dcnv2", "mmoe"])
@pytest.mark.parametrize("is_open", [True, False])
def test_weight_zero_is_bit_identical_to_control(backbone: str, is_open: bool) -> None:
    control, treatment = student(None, backbone), student(custom(), backbone)
    for seed in range(10):
        inputs, ys, teachers = batch(seed)
        for teacher in teachers:
            teacher.open = is_open
        plain, nothing = control.step_tasks(inputs, ys, (None, None))
        found, adapted = treatment.step_tasks(inputs, ys, teachers)
        assert all(torch.equal(a, b) for a, b in zip(plain, found, strict=True))
        assert nothing == (None, None)
        assert all(a_b is not None for a_b in adapted)
    assert all(torch.equal(a, b) for a, b in zip(served(control), served(treatment), strict=True))


def gradients(built: Student, teachers: tuple[Teacher, Teacher]) -> dict[str, Tensor]:
    """Of the heads, served and hanging, by name; of the backbone not."""
    inputs, ys, _ = batch()
    modules = [*built.net.heads, *(part.auxiliary for part in built.hanging), *(part.adapter for part in built.hanging)]
    for module in modules:
        module.zero_grad()
    # Detached: a backward pass through the tables would update them.
    xs = built.net.stand_on(built.net.tables(inputs).detach(), inputs.dense_bn)
    logits = built.net.serve(xs)
    calibrated = [part.calibrated(teacher) for part, teacher in zip(built.hanging, teachers, strict=True)]
    parts = zip(xs, logits, ys, teachers, calibrated, strict=True)
    torch.autograd.backward([built.vm_loss(*part, task=t) for t, part in enumerate(parts)])
    names = ["serving0", "serving1", "auxiliary0", "auxiliary1", "adapter0", "adapter1"]
    return {
        f"{name}.{weight_name}": torch.zeros_like(weight) if weight.grad is None else weight.grad.clone()
        for name, module in zip(names, modules, strict=True)
        for weight_name, weight in module.named_parameters()
    }


def test_a_tasks_label_moves_its_own_heads_only() -> None:
    built = student(ALL)
    _, _, (first, second) = batch()
    changed = Teacher(second.logits_b + 2.0 * second.mask_b, second.mask_b, False, True)
    before, after = gradients(built, (first, second)), gradients(built, (first, changed))
    for name, value in before.items():
        if name.startswith(("serving1", "auxiliary1")):
            continue
        assert torch.equal(value, after[name]), name
    assert any(not torch.equal(value, after[name]) for name, value in before.items() if name.startswith("auxiliary1"))


def test_nothing_reaches_any_adapter_through_the_vertical_model() -> None:
    found = gradients(student(ALL), batch()[2])
    assert all(not value.any() for name, value in found.items() if name.startswith("adapter"))


def test_a_task_without_a_teacher_is_a_control_task() -> None:
    """Its auxiliary head and adapter stay as they are, their momentum too."""
    built = student(ALL)
    before = [copy.deepcopy(part.auxiliary.state_dict()) for part in built.hanging]
    adapter = copy.deepcopy(built.hanging[1].adapter.state_dict())
    inputs, ys, (first, _) = batch()
    _, adapted = built.step_tasks(inputs, ys, (first, None))
    assert adapted[1] is None
    assert not all(torch.equal(before[0][k], v) for k, v in built.hanging[0].auxiliary.state_dict().items())
    assert all(torch.equal(before[1][k], v) for k, v in built.hanging[1].auxiliary.state_dict().items())
    assert all(torch.equal(adapter[k], v) for k, v in built.hanging[1].adapter.state_dict().items())


def test_each_adapter_takes_its_own_shift_away() -> None:
    built = student(custom(w_sa=1.0))
    rng = np.random.default_rng(0)
    shifts = (0.8, -0.8)
    for _ in range(1500):
        truth = rng.normal(-1, 1, (2, BATCH)).astype(np.float32)
        ys = tuple(torch.tensor((rng.random(BATCH) < 1 / (1 + np.exp(-z))).astype(np.float32)) for z in truth)
        teachers = tuple(
            Teacher(torch.tensor(z + shift), torch.ones(BATCH), True, True)
            for z, shift in zip(truth, shifts, strict=True)
        )
        for part, y, teacher in zip(built.hanging, ys, teachers, strict=True):
            part.update_adapter(y, teacher)
    t = torch.linspace(-2, 1, 50)
    for part, shift in zip(built.hanging, shifts, strict=True):
        with torch.no_grad():
            assert float((part.adapter(t) - t).mean()) == pytest.approx(-shift, abs=0.2)


def test_checkpoints_hold_every_task() -> None:
    one, two = student(ALL), student(ALL)
    inputs, ys, teachers = batch()
    one.step_tasks(inputs, ys, teachers)
    identity = {"spec": spec(ALL).to_json()}
    load_student(two, save_student(one, identity, {}), identity)
    one.step_tasks(inputs, ys, teachers)
    two.step_tasks(inputs, ys, teachers)
    assert save_student(one, identity, {}) == save_student(two, identity, {})


def stream(root: Path, count: int = 1200, periods: int = 3) -> list[LocalPartition]:
    found = []
    for t in range(periods):
        table = rows(count, t, seed=6)
        liked = (np.random.default_rng(t).random(count) < 0.2 + 0.3 * table["click"].to_numpy()).astype(np.int8)
        path = root / f"{t}.parquet"
        write_partition(path, table.append_column("liked", [liked]), SCHEMA)
        start = ORIGIN + t * HOUR
        found.append(LocalPartition(path, count, start, start + HOUR))
    return found


def test_tasks_are_measured_gated_and_masked_apart(tmp_path: Path) -> None:
    parts = stream(tmp_path)
    rng = np.random.default_rng(0)
    labels = []
    for t in range(len(parts)):
        y = rows(1200, t, seed=6)["click"].to_numpy()
        good = (2.0 * y - 1.3 + rng.normal(0, 0.5, 1200)).astype(np.float32)
        noise = rng.normal(0, 2, 1200).astype(np.float32)
        noise[::2] = np.nan
        labels.append({"click": good, "like": noise})
    found = study(spec(Supervision("strong", aux_width=16)), SCHEMA, parts, labels)
    assert found.task_gates["treatment"] == {"click": [False, True, True], "like": [False] * 3}
    assert found.gates == [False, True, True]
    assert [outcome.tasks["like"].covered for outcome in found.outcomes] == [600] * 3
    assert found.sums("control", task="like").positives != found.sums("control").positives
    assert found.lift(task="click").rows == found.lift(task="like").rows == 3600
    with pytest.raises(DataError, match="'other'"):
        VerticalTrainer(spec(ALL), SCHEMA, ["control"]).train(
            parts[0].open(), 1200, {"other": labels[0]["click"]}, True
        )


def test_the_first_task_alone_is_the_model_of_one_task(tmp_path: Path) -> None:
    """One array of labels is the primary task's; a model of one task is what it was."""
    part = stream(tmp_path, periods=1)[0]
    teacher = np.random.default_rng(1).normal(size=1200).astype(np.float32)
    one = VerticalTrainer(spec(ALL, ("click",)), SCHEMA, ["control", Arm("t", ALL)]).train(
        part.open(), 1200, teacher, True
    )
    two = VerticalTrainer(spec(ALL), SCHEMA, ["control", Arm("t", ALL)]).train(part.open(), 1200, teacher, True)
    assert one.covered == two.covered == 1200
    assert two.tasks["like"].covered == 0
    assert one.labels["t"] is not None
    assert two.labels["t"] is not None
    assert np.array_equal(one.labels["t"].loss, two.labels["t"].loss)
