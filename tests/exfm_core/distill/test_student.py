"""The training step: who sends gradients where, in which order, and what weight 0 means."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from exfm_core.distill import losses
from exfm_core.distill.student import Student, Teacher
from exfm_core.models.inputs import Inputs
from exfm_core.spec import Supervision
from exfm_core.train.checkpoints import save_student
from tests.exfm_core.train.factories import schema, vertical

ROWS = 32


def custom(**weights: float) -> Supervision:
    return Supervision("custom", **({"w": 0.0, "w_sa": 0.0, "w_kd": 0.0, "aux_width": 16} | weights))  # type: ignore[arg-type]


def student(supervision: Supervision | None) -> Student:
    return Student(vertical(supervision), schema(), supervision)


def batch(seed: int = 0) -> tuple[Inputs, Tensor, Teacher]:
    g = torch.Generator().manual_seed(seed)
    ids = [torch.randint(0, size, (ROWS,), generator=g) for size in (50, 50, 4)]
    inputs = Inputs(torch.cat(ids), torch.arange(3 * ROWS + 1), torch.randn(ROWS, 1, generator=g))
    y = (torch.rand(ROWS, generator=g) < 0.4).float()
    mask = (torch.rand(ROWS, generator=g) < 0.7).float()
    return inputs, y, Teacher(torch.randn(ROWS, generator=g) * mask, mask, complete=False, open=True)


def gradients(
    built: Student, supervision: Supervision, calibrated: Tensor | None = None, shift: float = 0.0
) -> dict[str, Tensor]:
    """Gradients of the VM loss by weight name, tables' gradient under `tables`; `shift` is added to the teacher."""
    inputs, y, teacher = batch()
    teacher.logits_b += shift
    emb = built.net.tables(inputs).detach().requires_grad_()
    x = built.net.backbone(emb, inputs.dense_bn)
    for module in (built.net, built.auxiliary, built.adapter):
        if module is not None:
            module.zero_grad()
    built.supervision = supervision
    torch.autograd.backward(built.vm_loss(x, built.net.serving(x), y, teacher, calibrated))
    found = {"tables": emb.grad}
    for name, module in (("net", built.net), ("auxiliary", built.auxiliary), ("adapter", built.adapter)):
        for weight_name, weight in module.named_parameters() if module is not None else ():
            found[f"{name}.{weight_name}"] = torch.zeros_like(weight) if weight.grad is None else weight.grad.clone()
    return {name: value for name, value in found.items() if value is not None}


def serving(found: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value for name, value in found.items() if name.startswith("net.serving")}


def test_auxiliary_head_sends_nothing_into_the_serving_heads_weights() -> None:
    built = student(custom(w=1.0, w_sa=1.0))
    label = torch.rand(ROWS)
    alone, together = gradients(built, custom()), gradients(built, custom(w=1.0, w_sa=1.0), label)
    for name, value in serving(alone).items():
        assert torch.equal(value, serving(together)[name])
    assert not torch.equal(alone["tables"], together["tables"])


def test_serving_head_sees_ground_truth_only() -> None:
    built = student(custom(w=1.0, w_sa=1.0))
    first = gradients(built, custom(w=1.0, w_sa=1.0), torch.rand(ROWS))
    again = gradients(built, custom(w=1.0, w_sa=1.0), torch.rand(ROWS), shift=5.0)
    assert all(torch.equal(value, serving(again)[name]) for name, value in serving(first).items())
    assert not torch.equal(first["tables"], again["tables"])


def test_nothing_reaches_the_teacher() -> None:
    built = student(custom(w=1.0, w_sa=1.0, w_kd=1.0))
    inputs, y, teacher = batch()
    teacher.logits_b.requires_grad_()
    built.step(inputs, y, teacher)
    assert teacher.logits_b.grad is None


def test_the_vertical_model_sends_nothing_into_the_adapter() -> None:
    built = student(custom(w=1.0, w_sa=1.0, w_kd=1.0))
    inputs, y, teacher = batch()
    assert built.adapter is not None
    x = built.net.represent(inputs)[0]
    calibrated = torch.sigmoid(built.adapter(teacher.logits_b))
    torch.autograd.backward(built.vm_loss(x, built.net.serving(x), y, teacher, calibrated))
    assert all(weight.grad is None for weight in built.adapter.parameters())


def test_gradient_scaling_leaves_the_heads_own_weights_alone() -> None:
    built = student(custom(w=1.0))
    none, one, three = (gradients(built, custom(w=float(w), beta=beta)) for w, beta in ((0, 1.0), (1, 1.0), (1, 3.0)))
    for name in one:
        if name.startswith("auxiliary.d."):
            assert torch.equal(one[name], three[name])
    backbone = [name for name in one if name == "tables" or name.startswith("net.backbone")]
    for name in backbone:
        sent = one[name] - none[name]
        assert torch.allclose(three[name] - none[name], 3 * sent, rtol=1e-4, atol=1e-7)


def test_loss_weight_scales_the_head_and_what_it_sends() -> None:
    built = student(custom(w=1.0))
    none, one, two = (gradients(built, custom(w=w)) for w in (0.0, 1.0, 2.0))
    for name in one:
        if name.startswith("auxiliary.d."):
            assert torch.equal(two[name], 2 * one[name])
        elif not name.startswith(("net.serving", "adapter", "auxiliary")):
            assert torch.allclose(two[name] - none[name], 2 * (one[name] - none[name]), rtol=1e-4, atol=1e-7)


def test_rows_without_a_label_send_nothing() -> None:
    weights = custom(w=1.0, w_sa=1.0, w_kd=1.0)
    built = student(weights)
    _, _, teacher = batch()
    label = torch.rand(ROWS)
    first = gradients(built, weights, label)
    label[teacher.mask_b == 0] = 0.9
    again = gradients(built, weights, label)
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_adapter_learns_before_the_vertical_model_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Algorithm 1: update SA with L_sta → SG(σ(a)) → update the VM."""
    built = student(custom(w_sa=1.0))
    inputs, y, teacher = batch()
    assert built.adapter is not None
    shadow = copy.deepcopy(built.adapter)
    optimiser = torch.optim.Adam(shadow.parameters(), lr=vertical().optimizer.dense_lr, fused=True)
    torch.autograd.backward(losses.adapter_loss(shadow(teacher.logits_b), y, teacher.mask_b))
    before = shadow(teacher.logits_b).detach()
    optimiser.step()
    expected = torch.sigmoid(shadow(teacher.logits_b)).detach()
    seen: list[Tensor] = []
    real = losses.adapted_loss

    def spy(d2_b: Tensor, calibrated_b: Tensor, mask_b: Tensor | None) -> Tensor:
        seen.append(calibrated_b)
        return real(d2_b, calibrated_b, mask_b)

    monkeypatch.setattr(losses, "adapted_loss", spy)
    _, a_b = built.step(inputs, y, teacher)
    assert torch.equal(seen[0], expected)
    assert a_b is not None
    assert torch.equal(a_b, before)
    assert not torch.equal(before, torch.logit(expected))


def served(built: Student) -> list[Tensor]:
    return [*built.net.tables.state().values(), *built.net.parameters()]


@pytest.mark.parametrize("is_open", [True, False])
def test_weight_zero_is_bit_identical_to_control(is_open: bool) -> None:
    control, treatment = student(None), student(custom())
    for seed in range(10):
        inputs, y, teacher = batch(seed)
        teacher.open = is_open
        s_control, _ = control.step(inputs, y)
        s_treatment, a_b = treatment.step(inputs, y, teacher)
        assert torch.equal(s_control, s_treatment)
        assert a_b is not None
    assert all(torch.equal(a, b) for a, b in zip(served(control), served(treatment), strict=True))


def test_initial_served_weights_do_not_depend_on_the_supervision() -> None:
    one, two = student(None), student(custom(w=1.0, w_sa=1.0))
    assert all(torch.equal(a, b) for a, b in zip(served(one), served(two), strict=True))


def test_shut_gate_masks_everything_but_the_adapter() -> None:
    supervision = custom(w=1.0, w_sa=1.0, w_kd=1.0)
    control, treatment = student(None), student(supervision)
    assert treatment.auxiliary is not None
    assert treatment.adapter is not None
    heads = copy.deepcopy(treatment.auxiliary.state_dict())
    adapter = copy.deepcopy(treatment.adapter.state_dict())
    for seed in range(5):
        inputs, y, teacher = batch(seed)
        teacher.open = False
        control.step(inputs, y)
        treatment.step(inputs, y, teacher)
    assert all(torch.equal(a, b) for a, b in zip(served(control), served(treatment), strict=True))
    assert all(torch.equal(heads[name], value) for name, value in treatment.auxiliary.state_dict().items())
    assert any(not torch.equal(adapter[name], value) for name, value in treatment.adapter.state_dict().items())


def test_a_batch_without_labels_is_a_control_batch() -> None:
    """Not even the auxiliary heads' momentum moves."""
    built = student(custom(w=1.0, w_sa=1.0))
    inputs, y, teacher = batch()
    built.step(inputs, y, teacher)
    assert built.auxiliary is not None
    before = copy.deepcopy(built.auxiliary.state_dict())
    built.step(inputs, y, None)
    assert all(torch.equal(before[name], value) for name, value in built.auxiliary.state_dict().items())


def test_complete_batches_need_no_mask() -> None:
    """The shortcut for fully covered batches gives the same weights as a mask of ones."""
    supervision = custom(w=1.0, w_sa=1.0, w_kd=1.0)
    one, two = student(supervision), student(supervision)
    for seed in range(5):
        inputs, y, teacher = batch(seed)
        ones = torch.ones(ROWS)
        one.step(inputs, y, Teacher(teacher.logits_b, ones, complete=True, open=True))
        two.step(inputs, y, Teacher(teacher.logits_b, ones, complete=False, open=True))
    for a, b in zip(served(one), served(two), strict=True):
        assert torch.allclose(a, b, atol=1e-6)


def test_predictions_come_before_the_update() -> None:
    built = student(custom(w=1.0))
    inputs, y, teacher = batch()
    with torch.no_grad():
        expected = built.net(inputs)
    s_b, _ = built.step(inputs, y, teacher)
    assert torch.equal(s_b, expected)
    with torch.no_grad():
        assert not torch.equal(built.net(inputs), expected)


def test_auxiliary_head_keeps_the_serving_head_calibrated_under_a_biased_teacher() -> None:
    """A single head with KD drifts to the teacher's bias; separate heads do not (METHOD §2)."""
    g = torch.Generator().manual_seed(0)

    def course(step: Any) -> float:
        total = 0.0
        for i in range(300):
            inputs, _, _ = batch(i)
            y = (torch.rand(ROWS, generator=g) < 0.3).float()
            s_b = step(inputs, y, Teacher(torch.full((ROWS,), 2.0), torch.ones(ROWS), True, True))
            total += float(torch.sigmoid(s_b).mean()) if i >= 200 else 0.0
        return total / 100

    ah = student(custom(w=1.0))
    kd = student(None)

    def kd_step(inputs: Inputs, y: Tensor, teacher: Teacher) -> Tensor:
        s_b = kd.net(inputs)
        kd.optimizer.zero_grad()
        torch.autograd.backward(losses.single_head_kd_loss(s_b, y, teacher.logits_b, 1.0, None))
        kd.optimizer.step()
        return torch.Tensor.detach(s_b)

    assert abs(course(lambda *arguments: ah.step(*arguments)[0]) - 0.3) < 0.04
    assert course(kd_step) > 0.45


def test_tables_are_no_dense_parameters() -> None:
    names = [name for name, _ in student(None).net.named_parameters()]
    assert not any("table" in name for name in names)
    assert all(isinstance(weight, nn.Parameter) for weight in student(None).net.parameters())


def test_a_checkpoint_holds_everything_that_learns() -> None:
    built = student(custom(w=1.0, w_sa=1.0))
    inputs, y, teacher = batch()
    first = save_student(built, {}, {})
    built.step(inputs, y, teacher)
    assert save_student(built, {}, {}) != first
