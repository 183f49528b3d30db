"""One arm of a vertical model in training: the served net, what hangs on it, and their optimisers.

The step follows the paper's Algorithm 1: update SA with L_sta → SG(σ(a)) → update the VM with, summed over its tasks,
L_s + w·L_d + w_sa·L_sa + w_kd·L_ckd + w_single·h(s, q). Each task has an AH and an SA of its own, taught by its own
label. Nothing reaches the foundation model: its logits are constants here.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from exfm_core.distill import losses
from exfm_core.distill.adam import DenseAdam
from exfm_core.distill.adapter import Adapter
from exfm_core.distill.gradients import scale_gradient
from exfm_core.models.embeddings import Backend
from exfm_core.models.inputs import Inputs
from exfm_core.models.vertical import AuxiliaryHeads, VerticalNet, auxiliary_generator
from exfm_core.spec import StreamSchema, Supervision, VerticalSpec


@dataclass(slots=True)
class Teacher:
    """The foundation model's logged logits for one batch and task.

    `logits_b` float32 [B], 0 where there is none; `mask_b` float32 [B], 1 where there is one. `complete`: every row
    has one. `open`: the label gate lets the VM learn from them; shut, the adapter alone goes on learning.
    """

    logits_b: Tensor
    mask_b: Tensor
    complete: bool
    open: bool

    @property
    def partial_b(self) -> Tensor | None:
        """The mask, None where it would be all ones."""
        return None if self.complete else self.mask_b


class Hanging:
    """What hangs on one task while it learns, and is never served: AH, SA head and SA, with their optimisers."""

    def __init__(self, width: int, supervision: Supervision, rate: float, generator: torch.Generator) -> None:
        self.auxiliary = AuxiliaryHeads(width, supervision.aux_width, generator)
        self.adapter = Adapter(supervision.adapter_width, generator)
        self.auxiliary_optimizer = dense_adam(self.auxiliary, rate)
        self.adapter_optimizer = dense_adam(self.adapter, rate)

    def update_adapter(self, y_b: Tensor, teacher: Teacher) -> Tensor:
        """One step of SA with L_sta. Returns a [B] as it was before it."""
        before = self.adapter.learn(teacher.logits_b, y_b, teacher.partial_b)
        self.adapter_optimizer.step()
        return before

    @torch.no_grad()
    def calibrated(self, teacher: Teacher) -> Tensor:
        """SG(σ(a)) [B]."""
        return torch.sigmoid(self.adapter(teacher.logits_b))


class Student:
    """A served net with its optimisers; with `supervision`, also an AH, SA head and SA for every task.

    Without supervision (the control) nothing of the teacher exists. Raises nothing on its own.
    """

    def __init__(
        self,
        spec: VerticalSpec,
        schema: StreamSchema,
        supervision: Supervision | None,
        backend: Backend = "fused",
    ) -> None:
        self.net = VerticalNet(spec, schema, backend)
        rate = spec.optimizer.dense_lr
        self.supervision = supervision
        self.optimizer = dense_adam(self.net, rate)
        self.hanging: tuple[Hanging, ...] = ()
        if supervision is not None:
            generator = auxiliary_generator(spec.seed)
            width = self.net.backbone.width
            self.hanging = tuple(Hanging(width, supervision, rate, generator) for _ in self.net.tasks)

    @property
    def auxiliary(self) -> AuxiliaryHeads | None:
        """AH and SA head of the primary task."""
        return self.hanging[0].auxiliary if self.hanging else None

    @property
    def adapter(self) -> Adapter | None:
        """SA of the primary task."""
        return self.hanging[0].adapter if self.hanging else None

    def step(self, inputs: Inputs, y_b: Tensor, teacher: Teacher | None = None) -> tuple[Tensor, Tensor | None]:
        """Trains a model of one task on one batch. Returns s [B] and, where there is a teacher, a [B], both as they
        were *before* it.

        `inputs` must have been checked against the tables. y_b float32 [B] in {0, 1}.
        """
        (s_b,), (a_b,) = self.step_tasks(inputs, (y_b,), (teacher,))
        return s_b, a_b

    def step_tasks(
        self, inputs: Inputs, ys: tuple[Tensor, ...], teachers: tuple[Teacher | None, ...]
    ) -> tuple[tuple[Tensor, ...], tuple[Tensor | None, ...]]:
        """As `step`, labels and teachers in the order of the model's tasks; s and a likewise."""
        inputs = self.net.tables.admit(inputs)
        befores: list[Tensor | None] = [None] * len(ys)
        labels: list[Tensor | None] = [None] * len(ys)
        open_teachers: list[Teacher | None] = [None] * len(ys)
        for t, (hanging, teacher) in enumerate(zip(self.hanging, teachers, strict=False)):
            if teacher is None:
                continue
            befores[t] = hanging.update_adapter(ys[t], teacher)
            if teacher.open:
                open_teachers[t] = teacher
                labels[t] = hanging.calibrated(teacher) if self._reads_calibrated else None
        return self._update(inputs, ys, open_teachers, labels), tuple(befores)

    def vm_loss(
        self, x: Tensor, s_b: Tensor, y_b: Tensor, teacher: Teacher | None, calibrated_b: Tensor | None, task: int = 0
    ) -> Tensor:
        """One task's L_s + w·L_d + w_sa·L_sa + w_kd·L_ckd + w_single·h(s, q); a term with weight 0 adds no operator."""
        loss = losses.serving_loss(s_b, y_b)
        if teacher is None or self.supervision is None or not self.hanging:
            return loss
        weights, mask_b, heads = self.supervision, teacher.partial_b, self.hanging[task].auxiliary
        if weights.w:
            d_b = heads.d(scale_gradient(x, weights.beta))
            loss = loss + weights.w * losses.auxiliary_loss(d_b, teacher.logits_b, weights.alpha, mask_b)
        if calibrated_b is not None and weights.w_sa:
            d2_b = heads.d2(scale_gradient(x, weights.beta_sa))
            loss = loss + weights.w_sa * losses.adapted_loss(d2_b, calibrated_b, mask_b)
        if calibrated_b is not None and weights.w_kd:
            loss = loss + weights.w_kd * losses.calibrated_kd_loss(s_b, calibrated_b, mask_b)
        if weights.w_single:
            loss = loss + weights.w_single * losses.raw_kd_loss(s_b, teacher.logits_b, mask_b)
        return loss

    @property
    def _reads_calibrated(self) -> bool:
        """Whether a term reads SG(σ(a))."""
        return self.supervision is not None and bool(self.supervision.w_sa or self.supervision.w_kd)

    def _update(
        self,
        inputs: Inputs,
        ys: tuple[Tensor, ...],
        teachers: list[Teacher | None],
        calibrated: list[Tensor | None],
    ) -> tuple[Tensor, ...]:
        xs = self.net.represent(inputs, checked=True)
        logits = self.net.serve(xs)
        weights = self.supervision
        hang = weights is not None and bool(weights.w or weights.w_sa)
        used = [self.hanging[t] for t, teacher in enumerate(teachers) if hang and teacher is not None]
        self.optimizer.zero_grad()
        for hanging in used:
            hanging.auxiliary_optimizer.zero_grad()
        parts = zip(xs, logits, ys, teachers, calibrated, strict=True)
        loss, *more = (self.vm_loss(*part, task=t) for t, part in enumerate(parts))
        for further in more:
            loss = loss + further
        torch.autograd.backward(loss)  # updates the tables too
        self.optimizer.step()
        for hanging in used:
            hanging.auxiliary_optimizer.step()
        return tuple(s_b.detach() for s_b in logits)


def dense_adam(module: nn.Module, rate: float) -> DenseAdam:
    """Adam over a module's dense weights."""
    return DenseAdam(module.parameters(), rate)
