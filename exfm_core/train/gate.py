"""The publishing gate: candidate against current snapshot on the held-back users of the newest period.

A head is judged per tenant, and over all tenants (slot 0). Few users are held back, so a limit counts as broken only
where it is broken by more than chance allows. Each limit is a score per row whose mean is above 0 where it is broken:

- NE: loss − (1 + tolerance) · loss of the current snapshot;
- Σp / Σy too high: p − high · y; too low: low · y − p.

Rows of one user are not independent, so a mean counts as above 0 where it exceeds two standard errors that are robust
to any dependence within a user bucket (of 256, by hash of the user; by quarter of an hour where a stream has no user
key). Heads with too few rows, buckets or labels of either class are reported but not judged.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from exfm_core.metrics.sums import BUCKETS, MIN_BUCKETS, log_losses

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
    """One task head on one tenant's held-back rows; slot 0 = all tenants. `judged` is False where they are too few;
    `problem` is empty where nothing is wrong, or nothing was judged."""

    tenant_slot: int
    task: str
    n: int
    ne_candidate: float | None
    ne_current: float | None
    calibration: float | None
    judged: bool = False
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
    buckets: npt.NDArray[np.integer],
    limits: Limits,
) -> Judgement:
    """`candidate`, `current` and `labels` [N, K] in the order of `kinds`, label NaN where a row lacks the task;
    `slots` [N]; `buckets` [N] user buckets 0..255. Weights are judged elsewhere; here a logit that is not finite makes
    the candidate corrupt."""
    if not np.isfinite(candidate).all():
        return Judgement("corrupt", "A logit of the candidate is not a finite number.")
    heads: list[Verdict] = []
    for k, kind in enumerate(kinds):
        has = np.isfinite(labels[:, k])
        for slot in (0, *sorted({int(slot) for slot in slots[has]} - {0})):
            rows = has if slot == 0 else has & (slots == slot)
            old = None if current is None else current[rows, k]
            heads.append(_head(slot, kind, candidate[rows, k], old, labels[rows, k], buckets[rows], limits))
    broken = [head for head in heads if head.problem]
    if broken:
        worst = broken[0]
        who = "all tenants" if worst.tenant_slot == 0 else f"tenant slot {worst.tenant_slot}"
        return Judgement("reject", f"Head {worst.task!r} on {who}: {worst.problem}.", tuple(heads))
    judged = sum(head.judged for head in heads)
    against = "nothing is published yet" if current is None else "none of them is worse than the published snapshot"
    reason = f"{judged} of {len(heads)} heads had enough held-back users and rows to judge; {against}."
    return Judgement("publish", reason, tuple(heads))


def _head(
    slot: int, kind: str, z: Floats, old: Floats | None, y: Floats, buckets: npt.NDArray[np.integer], limits: Limits
) -> Verdict:
    n, positives = len(y), float(y.sum())
    entropy = _entropy(n, positives)
    loss = log_losses(z, y)
    p = 0.5 * (1.0 + np.tanh(0.5 * z.astype(np.float64)))
    ne = None if entropy is None else float(loss.mean()) / entropy
    ratio = float(p.sum()) / positives if positives else None
    ne_old, problem = None, ""
    enough = n >= MIN_ROWS and min(positives, n - positives) >= MIN_OF_EACH_CLASS
    judged = enough and len(np.unique(buckets)) >= MIN_BUCKETS
    low, high = limits.calibration
    if judged and (above_chance(p - high * y, buckets) or above_chance(low * y - p, buckets)):
        problem = f"calibration {ratio:.3f} is outside {low}–{high}"
    if old is not None and entropy is not None and ne is not None:
        loss_old = log_losses(np.nan_to_num(old), y)
        ne_old = float(loss_old.mean()) / entropy
        if judged and above_chance(loss - (1.0 + limits.tolerance) * loss_old, buckets):
            problem = f"NE {ne:.4f} is worse than the published {ne_old:.4f} by more than {limits.tolerance:.0%}"
    return Verdict(slot, kind, n, ne, ne_old, ratio, judged, problem)


def above_chance(scores: Floats, buckets: npt.NDArray[np.integer]) -> bool:
    """Whether the mean of `scores` [N] exceeds 0 by more than two of its standard errors."""
    return bool(scores.mean() > STANDARD_ERRORS * standard_error(scores, buckets))


def standard_error(scores: Floats, buckets: npt.NDArray[np.integer]) -> float:
    """Standard error of the mean of `scores` [N] whose rows depend on each other within `buckets` [N], numbers 0..255.

    The jackknife that leaves out one bucket at a time, from the buckets' sums alone: unlike the plain sum of squares it
    is not too small where a few users have most of the rows. Infinite with fewer than two buckets.
    """
    n_b = np.bincount(buckets, minlength=BUCKETS)
    sums = np.bincount(buckets, scores, BUCKETS)[n_b > 0]
    n_b = n_b[n_b > 0]
    if len(n_b) < 2:
        return math.inf
    n = int(n_b.sum())
    moves = (sums - n_b * scores.mean()) / (n - n_b)
    return math.sqrt(float((moves**2).sum()) * (len(n_b) - 1) / len(n_b))


def _entropy(n: int, positives: float) -> float | None:
    if not 0 < positives < n:
        return None
    rate = positives / n
    return -(rate * math.log(rate) + (1 - rate) * math.log1p(-rate))
