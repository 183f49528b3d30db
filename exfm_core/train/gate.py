"""The publishing gate: candidate against current snapshot on the held-back users of the newest period.

A head is judged over all tenants (slot 0), which alone decides for everybody, and per tenant: a regression on one
tenant's users is in the verdict, and shuts the label gate of that tenant alone. No tenant may decide for the others
through the sum either: a fault counts only if the rest, wherever it can be judged, points the same way when any one
tenant is left out. Few users are held back, so a limit counts as broken only where it is broken by more than chance
allows. Each limit is a score per row whose mean is above 0 where it is broken:

- NE: loss − (1 + tolerance) · loss of the current snapshot;
- Σp / Σy too high: p − high · y; too low: low · y − p.

Rows of one user are not independent, so a mean counts as above 0 where it exceeds two standard errors that are robust
to any dependence within a user bucket (of 256, by hash of the user; by quarter of an hour where a stream has no user
key). A head with too few rows, buckets or labels of either class in the newest period is judged together with the
periods before it, as few of them as suffice; where all that are kept do not suffice, it is reported but not judged.
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
    `problem` is empty where nothing is wrong, or nothing was judged; `periods` counts those whose rows were read."""

    tenant_slot: int
    task: str
    n: int
    ne_candidate: float | None
    ne_current: float | None
    calibration: float | None
    judged: bool = False
    problem: str = ""
    periods: int = 1


@dataclass(frozen=True, slots=True)
class Judgement:
    """The gate's decision and what it rests on."""

    decision: Literal["publish", "reject", "corrupt"]
    reason: str
    heads: tuple[Verdict, ...] = ()

    def regressed(self, slot: int) -> frozenset[str]:
        """Task kinds whose head has a problem on that tenant's own users: its label gate stays shut for them."""
        return frozenset(head.task for head in self.heads if head.tenant_slot == slot and head.problem)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Held-back rows of one head: logits of candidate and current [N], labels, slots, user buckets, age in periods."""

    z: Floats
    old: Floats | None
    y: Floats
    slots: npt.NDArray[np.int64]
    buckets: npt.NDArray[np.integer]
    ages: npt.NDArray[np.integer]

    def take(self, rows: npt.NDArray[np.bool_]) -> "_Rows":
        old = None if self.old is None else self.old[rows]
        return _Rows(self.z[rows], old, self.y[rows], self.slots[rows], self.buckets[rows], self.ages[rows])

    @property
    def enough(self) -> bool:
        """Whether there are rows, labels of each class and user buckets enough to judge on."""
        n, positives = len(self.y), float(self.y.sum())
        if n < MIN_ROWS or min(positives, n - positives) < MIN_OF_EACH_CLASS:
            return False
        return len(np.unique(self.buckets)) >= MIN_BUCKETS

    def window(self) -> "_Rows":
        """The newest period's rows, with as many periods before it as it takes to judge; alone if nothing suffices."""
        for age in range(int(self.ages.max(initial=0)) + 1):
            found = self.take(self.ages <= age)
            if found.enough:
                return found
        return self.take(self.ages == 0)


def judge(
    kinds: Sequence[str],
    candidate: Floats,
    current: Floats | None,
    labels: Floats,
    slots: npt.NDArray[np.int64],
    buckets: npt.NDArray[np.integer],
    limits: Limits,
    ages: npt.NDArray[np.integer] | None = None,
) -> Judgement:
    """`candidate`, `current` and `labels` [N, K] in the order of `kinds`, label NaN where a row lacks the task;
    `slots` [N]; `buckets` [N] user buckets 0..255; `ages` [N] periods before the newest one, None = all newest.
    Weights are judged elsewhere; here a logit that is not finite makes the candidate corrupt."""
    if not np.isfinite(candidate).all():
        return Judgement("corrupt", "A logit of the candidate is not a finite number.")
    ages = np.zeros(len(slots), np.int64) if ages is None else ages
    heads: list[Verdict] = []
    rejected: Verdict | None = None
    for k, kind in enumerate(kinds):
        has = np.isfinite(labels[:, k])
        old = None if current is None else current[has, k]
        every = _Rows(candidate[has, k], old, labels[has, k], slots[has], buckets[has], ages[has])
        pooled = every.window()
        heads.append(_head(0, kind, pooled, limits))
        if heads[-1].problem and rejected is None and not _of_one_tenant(pooled, limits):
            rejected = heads[-1]
        present = sorted({int(slot) for slot in every.slots[every.ages == 0]} - {0})
        heads += [_head(slot, kind, every.take(every.slots == slot).window(), limits) for slot in present]
    if rejected is not None:
        return Judgement("reject", f"Head {rejected.task!r} on all tenants: {rejected.problem}.", tuple(heads))
    judged = sum(head.judged for head in heads)
    against = "nothing is published yet" if current is None else "none is worse than the published snapshot for all"
    reason = f"{judged} of {len(heads)} heads had enough held-back users and rows to judge; {against}."
    return Judgement("publish", reason, tuple(heads))


def _head(slot: int, kind: str, rows: _Rows, limits: Limits) -> Verdict:
    n, positives = len(rows.y), float(rows.y.sum())
    entropy = _entropy(n, positives)
    ne = ne_old = None
    if entropy is not None:
        ne = float(log_losses(rows.z, rows.y).mean()) / entropy
        ne_old = None if rows.old is None else float(log_losses(np.nan_to_num(rows.old), rows.y).mean()) / entropy
    ratio = float(_p(rows.z).sum()) / positives if positives else None
    judged = rows.enough
    problem = ""
    if judged:
        broken = [name for name, scores in _scores(rows, limits).items() if above_chance(scores, rows.buckets)]
        if "ne" in broken:
            problem = f"NE {ne:.4f} is worse than the published {ne_old:.4f} by more than {limits.tolerance:.0%}"
        elif broken:
            problem = f"calibration {ratio:.3f} is outside {limits.calibration[0]}–{limits.calibration[1]}"
    periods = len(np.unique(rows.ages)) if n else 1
    return Verdict(slot, kind, n, ne, ne_old, ratio, judged, problem, periods)


def _of_one_tenant(rows: _Rows, limits: Limits) -> bool:
    """Whether the fault of all tenants together is one tenant's alone: the others can be judged without it, and break
    on average none of the limits that are broken."""
    broken = [name for name, scores in _scores(rows, limits).items() if above_chance(scores, rows.buckets)]
    for slot in np.unique(rows.slots):
        others = rows.take(rows.slots != slot)
        if others.enough:
            scores = _scores(others, limits)
            if all(float(scores[name].mean()) <= 0 for name in broken):
                return True
    return False


def _scores(rows: _Rows, limits: Limits) -> dict[str, Floats]:
    """A score per row for each limit; its mean is above 0 where the limit is broken."""
    low, high = limits.calibration
    p = _p(rows.z)
    found: dict[str, Floats] = {"high": p - high * rows.y, "low": low * rows.y - p}
    if rows.old is not None:
        old = log_losses(np.nan_to_num(rows.old), rows.y)
        found["ne"] = log_losses(rows.z, rows.y) - (1.0 + limits.tolerance) * old
    return found


def _p(z: Floats) -> Floats:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * z.astype(np.float64))))


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
