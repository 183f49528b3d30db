"""One arm of a vertical model in training: the served net, what hangs on it, and their optimisers.

The step follows the paper's Algorithm 1: update SA with L_sta → SG(σ(a)) → update the VM with
L_s + w·L_d + w_sa·L_sa + w_kd·L_ckd. Nothing reaches the foundation model: its logits are constants here.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from exfm_core.distill import losses
from exfm_core.distill.adapter import Adapter
from exfm_core.distill.gradients import scale_gradient
from exfm_core.models.embeddings import Backend
from exfm_core.models.inputs import Inputs
from exfm_core.models.vertical import AuxiliaryHeads, VerticalNet, auxiliary_generator
from exfm_core.spec import StreamSchema, Supervision, VerticalSpec


@dataclass(slots=True)
class Teacher:
    """The foundation model's logged logits for one batch.

    `logits_b` float32 [B], 0 where there is none; `mask_b` float32 [B], 1 where there is one. `complete`: every row
    has one. `open`: the label gate lets the VM learn from them; shut, the adapter alone goes on learning.
    """

    logits_b: Tensor
    mask_b: Tensor
    complete: bool
    open: bool


class Student:
    """A served net with its optimisers; with `supervision`, also AH, SA head and SA.

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
        self.auxiliary: AuxiliaryHeads | None = None
        self.adapter: Adapter | None = None
        if supervision is not None:
            generator = auxiliary_generator(spec.seed)
            self.auxiliary = AuxiliaryHeads(self.net.backbone.width, supervision.aux_width, generator)
            self.adapter = Adapter(supervision.adapter_width, generator)
            self.auxiliary_optimizer = dense_adam(self.auxiliary, rate)
            self.adapter_optimizer = dense_adam(self.adapter, rate)

    def step(self, inputs: Inputs, y_b: Tensor, teacher: Teacher | None = None) -> tuple[Tensor, Tensor | None]:
        """Trains on one batch. Returns s [B] and, where there is a teacher, a [B], both as they were *before* it.

        `inputs` must have been checked against the tables. y_b float32 [B] in {0, 1}.
        """
        if teacher is None or self.adapter is None:
            return self._update(inputs, y_b, None, None), None
        a_b = self._update_adapter(y_b, teacher)
        if not teacher.open:
            return self._update(inputs, y_b, None, None), a_b
        return self._update(inputs, y_b, teacher, self._calibrated(teacher)), a_b

    def vm_loss(
        self, x: Tensor, s_b: Tensor, y_b: Tensor, teacher: Teacher | None, calibrated_b: Tensor | None
    ) -> Tensor:
        """L_s + w·L_d + w_sa·L_sa + w_kd·L_ckd; a term with weight 0 adds no operator."""
        loss = losses.serving_loss(s_b, y_b)
        if teacher is None or self.supervision is None or self.auxiliary is None:
            return loss
        weights, mask_b = self.supervision, None if teacher.complete else teacher.mask_b
        if weights.w:
            d_b = self.auxiliary.d(scale_gradient(x, weights.beta))
            loss = loss + weights.w * losses.auxiliary_loss(d_b, teacher.logits_b, weights.alpha, mask_b)
        if calibrated_b is not None and weights.w_sa:
            d2_b = self.auxiliary.d2(scale_gradient(x, weights.beta_sa))
            loss = loss + weights.w_sa * losses.adapted_loss(d2_b, calibrated_b, mask_b)
        if calibrated_b is not None and weights.w_kd:
            loss = loss + weights.w_kd * losses.calibrated_kd_loss(s_b, calibrated_b, mask_b)
        return loss

    def _update_adapter(self, y_b: Tensor, teacher: Teacher) -> Tensor:
        assert self.adapter is not None  # noqa: S101  for the type checker: `step` has looked
        a_b = self.adapter(teacher.logits_b)
        self.adapter_optimizer.zero_grad()
        torch.autograd.backward(losses.adapter_loss(a_b, y_b, None if teacher.complete else teacher.mask_b))
        self.adapter_optimizer.step()
        before: Tensor = a_b.detach()
        return before

    @torch.no_grad()
    def _calibrated(self, teacher: Teacher) -> Tensor | None:
        """SG(σ(a)) of the adapter just updated, where a term reads it."""
        if self.adapter is None or self.supervision is None or not (self.supervision.w_sa or self.supervision.w_kd):
            return None
        return torch.sigmoid(self.adapter(teacher.logits_b))

    def _update(self, inputs: Inputs, y_b: Tensor, teacher: Teacher | None, calibrated_b: Tensor | None) -> Tensor:
        x = self.net.represent(inputs, checked=True)[0]
        s_b = self.net.serving(x)
        weights = self.supervision
        hangs = teacher is not None and weights is not None and bool(weights.w or weights.w_sa)
        self.optimizer.zero_grad()
        if hangs:
            self.auxiliary_optimizer.zero_grad()
        torch.autograd.backward(self.vm_loss(x, s_b, y_b, teacher, calibrated_b))  # updates the tables too
        self.optimizer.step()
        if hangs:
            self.auxiliary_optimizer.step()
        before: Tensor = s_b.detach()
        return before


def dense_adam(module: nn.Module, rate: float) -> torch.optim.Adam:
    """Adam over a module's dense weights; the fused form makes one call per step instead of one per weight."""
    return torch.optim.Adam(module.parameters(), lr=rate, fused=True)
