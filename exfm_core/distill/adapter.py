"""The student adapter (SA): a = t + MLP(t), one hidden layer on the teacher's raw logit.

Its optimum under h(a, y) is E[y | q]: it takes a shift of the teacher's logit away and leaves its ranking alone while
it is increasing.
"""

import torch
from torch import Tensor, nn

from exfm_core.models.layers import linear

NEARLY_ZERO = 1e-3
"""Scale of the last layer's initial weights: the adapter starts as the identity."""


class Adapter(nn.Module):
    """[B] teacher logits → [B] calibrated logits."""

    def __init__(self, hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        self.inner = linear(1, hidden, generator)
        self.outer = linear(hidden, 1, generator)
        with torch.no_grad():
            self.outer.weight.mul_(NEARLY_ZERO)
            self.outer.bias.zero_()

    def forward(self, teacher_b: Tensor) -> Tensor:
        t_b1 = teacher_b.detach().unsqueeze(1)
        a: Tensor = torch.add(t_b1, self.outer(torch.relu_(self.inner(t_b1)))).squeeze(1)
        return a
