"""The publishing gate: candidate against current snapshot on the held-back users of the newest period.

A head is judged per tenant, and over all tenants (slot 0). Few users are held back, so a limit counts as broken only
where it is broken by more than chance allows: two standard errors, of the paired difference of losses for NE and of
Σp / Σy for calibration. Heads with too few rows are reported but not judged.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from exfm_core.metrics.sums import log_losses

MIN_ROWS: Final = 200
MIN_OF_EACH_CLASS: Final = 10
STANDARD_ERRORS: Final = 2.0
Floats = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Limits:
    """Relative worsening of NE that is tolerated, and where Σp / Σy must lie."""

    tolerance: float = 0.02
    calibration: tuple[float, float] = (0.8, 1.25)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One task head on one tenant's held-back rows; slot 0 = all tenants. `problem` is empty where nothing is wrong."""

    tenant_slot: int
    task: str
    n: int
    ne_candidate: float | None
    ne_current: float | None
    calibration: float | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The gate's decision and what it rests on."""

    decision: Literal["publish", "reject", "corrupt"]
    reason: str
    heads: tuple[Verdict, ...] = ()


def judge(
    kinds: Sequence[str],
    candidate: Floats,
    current: Floats | None,
    labels: Floats,
    slots: npt.NDArray[np.int64],
    limits: Limits,
) -> Judgement:
    """`candidate`, `current` and `labels` [N, K] in the order of `kinds`, label NaN where a row lacks the task;
    `slots` [N]. Weights are judged elsewhere; here a logit that is not finite makes the candidate corrupt."""
    if not np.isfinite(candidate).all():
        return Judgement("corrupt", "A logit of the candidate is not a finite number.")
    heads: list[Verdict] = []
    for k, kind in enumerate(kinds):
        has = np.isfinite(labels[:, k])
        for slot in (0, *sorted({int(slot) for slot in slots[has]} - {0})):
            rows = has if slot == 0 else has & (slots == slot)
            old = None if current is None else current[rows, k]
            heads.append(_head(slot, kind, candidate[rows, k], old, labels[rows, k], limits))
    broken = [head for head in heads if head.problem]
    if broken:
        worst = broken[0]
        who = "all tenants" if worst.tenant_slot == 0 else f"tenant slot {worst.tenant_slot}"
        return Judgement("reject", f"Head {worst.task!r} on {who}: {worst.problem}.", tuple(heads))
    judged = sum(_enough(head) for head in heads)
    against = "nothing is published yet" if current is None else "no head is worse than the published snapshot"
    reason = f"{judged} of {len(heads)} heads had enough held-back rows to judge; {against}."
    return Judgement("publish", reason, tuple(heads))


def _enough(head: Verdict) -> bool:
    return head.n >= MIN_ROWS and head.ne_candidate is not None


def _head(slot: int, kind: str, z: Floats, old: Floats | None, y: Floats, limits: Limits) -> Verdict:
    n, positives = len(y), float(y.sum())
    entropy = _entropy(n, positives)
    loss = log_losses(z, y)
    p = 0.5 * (1.0 + np.tanh(0.5 * z.astype(np.float64)))
    ne = None if entropy is None else float(loss.mean()) / entropy
    ratio = float(p.sum()) / positives if positives else None
    ne_old, problem = None, ""
    judged = n >= MIN_ROWS and min(positives, n - positives) >= MIN_OF_EACH_CLASS
    if judged and ratio is not None:
        slack = STANDARD_ERRORS * math.sqrt(float((p * (1 - p)).sum())) / positives
        low, high = limits.calibration
        if not low - slack <= ratio <= high + slack:
            problem = f"calibration {ratio:.3f} is outside {low}–{high}"
    if old is not None and entropy is not None and ne is not None:
        loss_old = log_losses(np.nan_to_num(old), y)
        ne_old = float(loss_old.mean()) / entropy
        worse = loss - (1.0 + limits.tolerance) * loss_old
        if judged and worse.mean() > STANDARD_ERRORS * worse.std() / math.sqrt(n):
            problem = f"NE {ne:.4f} is worse than the published {ne_old:.4f} by more than {limits.tolerance:.0%}"
    return Verdict(slot, kind, n, ne, ne_old, ratio, problem)


def _entropy(n: int, positives: float) -> float | None:
    if not 0 < positives < n:
        return None
    rate = positives / n
    return -(rate * math.log(rate) + (1 - rate) * math.log1p(-rate))
