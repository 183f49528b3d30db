"""The losses of the method (METHOD §2) as pure functions of logits.

h(z, y) = softplus(z) − y·z, binary cross-entropy with logits. Every function averages over the *whole* batch of B rows
and multiplies rows without a teacher logit by zero, so that a row's loss does not depend on its neighbours' coverage.
`mask_b` float [B] is 1 for rows that count, None for all.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def cross_entropy(z_b: Tensor, y_b: Tensor, mask_b: Tensor | None = None) -> Tensor:
    """mean_b of mask · h(z, y); `y_b` are labels or probabilities in [0, 1]."""
    return F.binary_cross_entropy_with_logits(z_b, y_b, weight=mask_b)


def scaled_label(teacher_b: Tensor, alpha: float) -> Tensor:
    """min(α·q, 1) with q = σ(t): label scaling (LS). A constant: nothing ever reaches the teacher."""
    q_b = torch.sigmoid(teacher_b.detach())
    return q_b if alpha == 1.0 else (alpha * q_b).clamp_(max=1.0)


def clipped_rows(teacher_b: Tensor, alpha: float, mask_b: Tensor) -> int:
    """Rows with α·q > 1, whose ranking information label scaling destroys."""
    return int(((alpha * torch.sigmoid(teacher_b) > 1.0) & (mask_b > 0)).sum())


def serving_loss(s_b: Tensor, y_b: Tensor) -> Tensor:
    """L_s = h(s, y)."""
    return cross_entropy(s_b, y_b)


def auxiliary_loss(d_b: Tensor, teacher_b: Tensor, alpha: float, mask_b: Tensor | None) -> Tensor:
    """L_d = h(d, min(α·q, 1))."""
    return cross_entropy(d_b, scaled_label(teacher_b, alpha), mask_b)


def adapter_loss(a_b: Tensor, y_b: Tensor, mask_b: Tensor | None) -> Tensor:
    """L_sta = h(a, y): trains the adapter only."""
    return cross_entropy(a_b, y_b, mask_b)


def adapted_loss(d2_b: Tensor, calibrated_b: Tensor, mask_b: Tensor | None) -> Tensor:
    """L_sa = h(d2, SG(σ(a))); `calibrated_b` = σ(a)."""
    return cross_entropy(d2_b, calibrated_b.detach(), mask_b)


def calibrated_kd_loss(s_b: Tensor, calibrated_b: Tensor, mask_b: Tensor | None) -> Tensor:
    """L_ckd = h(s, SG(σ(a))): the preset *strong*, on the serving head."""
    return cross_entropy(s_b, calibrated_b.detach(), mask_b)


def raw_kd_loss(s_b: Tensor, teacher_b: Tensor, mask_b: Tensor | None) -> Tensor:
    """h(s, q): the raw label on the serving head."""
    return cross_entropy(s_b, scaled_label(teacher_b, 1.0), mask_b)


def single_head_kd_loss(s_b: Tensor, y_b: Tensor, teacher_b: Tensor, w: float, mask_b: Tensor | None) -> Tensor:
    """h(s, y) + w·h(s, q): the baseline whose optimum (p + w·q)/(1 + w) inherits the teacher's bias."""
    return serving_loss(s_b, y_b) + w * raw_kd_loss(s_b, teacher_b, mask_b)
