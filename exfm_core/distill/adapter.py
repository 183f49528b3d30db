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

    @torch.no_grad()
    def learn(self, teacher_b: Tensor, y_b: Tensor, mask_b: Tensor | None) -> Tensor:
        """Sets the weights' gradients of L_sta = mean_b mask·h(a, y) and returns a [B] as it is.

        With r = relu(w t + b), a = t + v·r + c and g = mask/B · (σ(a) − y): ∂v = gᵀ r, ∂c = Σ g, and with m = g vᵀ
        where r > 0, else 0: ∂w = mᵀ t, ∂b = Σ_b m. Written out, since autograd's book-keeping for a network this small
        costs several times its arithmetic.
        """
        t_b1 = teacher_b.detach().unsqueeze(1)
        r = torch.relu_(self.inner(t_b1))
        a_b1 = torch.add(t_b1, self.outer(r))
        g_b1 = torch.sigmoid(a_b1).sub_(y_b.unsqueeze(1)).mul_(1.0 / len(y_b))
        if mask_b is not None:
            g_b1.mul_(mask_b.unsqueeze(1))
        m = torch.mm(g_b1, self.outer.weight).mul_(r > 0)
        self.outer.weight.grad, self.outer.bias.grad = torch.mm(g_b1.t(), r), g_b1.sum(0)
        self.inner.weight.grad, self.inner.bias.grad = torch.mm(m.t(), t_b1), m.sum(0)
        return a_b1.squeeze(1)
