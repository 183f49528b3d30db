"""Figures of many pieces: lifts on the same rows, their intervals over users, and the spread over seeds apart.

A figure over several seeds and models pools losses, never lifts: 100·(1 − ΣΣ loss of arm ÷ ΣΣ loss of rival), with the
interval of `exfm_core.metrics.sums.pooled_lift`. The interval holds no seed noise; ``spread`` is the standard deviation
of the seeds' own figures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from exfm_core.experiments.work import Result
from exfm_core.metrics.sums import BucketSums, normalized_entropy, pooled_lift

FIRST_TENTH = slice(0, 1)


@dataclass(frozen=True, slots=True)
class Figure:
    """A lift in % with its 95 % interval and each seed's own value; not a number where there are no rows."""

    value: float
    low: float | None
    high: float | None
    seeds: tuple[float, ...]

    @property
    def spread(self) -> float | None:
        """Standard deviation over seeds; None for a single one."""
        return float(np.std(self.seeds, ddof=1)) if len(self.seeds) > 1 else None

    @property
    def above_zero(self) -> bool:
        """True if the whole interval is above 0."""
        return self.low is not None and self.low > 0

    @property
    def harm(self) -> bool:
        """True if the whole interval is below 0."""
        return self.high is not None and self.high < 0

    def __str__(self) -> str:
        if math.isnan(self.value):
            return "–"
        bounds = "" if self.low is None else f" [{self.low:+.2f}, {self.high:+.2f}]"
        spread = "" if self.spread is None else f" ± {self.spread:.2f}"
        return f"{self.value:+.2f}{spread}{bounds}"


Courses = Mapping[tuple[str, int], Result]
"""Results by (model, seed)."""


def lift(
    courses: Courses, arm: str, *, over: str = "control", parts: slice = slice(None), rivals: Courses | None = None
) -> Figure:
    """Lift of ``arm`` over ``over``, pooled over all models and seeds in ``courses`` that ran it.

    ``rivals``: where the other arm was run, if elsewhere; on the same rows.
    """
    against = rivals or courses
    pairs = {
        place: (against[place].sums(over, parts), result.sums(arm, parts))
        for place, result in courses.items()
        if arm in result.parts
    }
    whole = pooled_lift(list(pairs.values()))
    seeds = sorted({seed for _, seed in pairs})
    each = [pooled_lift([pair for (_, seed), pair in pairs.items() if seed == wanted]).value for wanted in seeds]
    return Figure(_known(whole.value), whole.low, whole.high, tuple(map(_known, each)))


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def ne(courses: Courses, arm: str, *, parts: slice = slice(None)) -> float:
    """NE of an arm over the rows of some models, all seeds: Σ loss ÷ Σ entropy of each model's own base rate."""
    found = []
    for model in dict.fromkeys(model for model, _ in courses):
        ran = [result for result in of_models(courses, [model]).values() if arm in result.parts]
        found.append(BucketSums.merge([result.sums(arm, parts) for result in ran]))
    return pooled_ne(found)


def pooled_ne(many: Sequence[BucketSums]) -> float:
    """NE over several models: Σ loss ÷ Σ entropy of each one's own base rate, so that rates do not mix."""
    loss = entropy = 0.0
    for sums in many:
        own = normalized_entropy(sums).value
        if own:
            loss += float(sums.loss.sum())
            entropy += float(sums.loss.sum()) / own
    return loss / entropy if entropy else math.nan


def auc(courses: Courses, arm: str) -> float | None:
    """Mean over models and seeds of the mean AUC inside partitions."""
    found = [value for result in courses.values() if (value := result.auc[arm]) is not None]
    return float(np.mean(found)) if found else None


def of_models(courses: Courses, models: Sequence[str]) -> dict[tuple[str, int], Result]:
    """The results of some models."""
    return {place: result for place, result in courses.items() if place[0] in models}
