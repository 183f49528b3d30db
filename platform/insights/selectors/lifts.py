"""A lift as people read it: percent of NE gained, with its interval, over all rows and over covered rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from exfm_core.metrics.sums import BucketSums, Lift, lift, normalized_entropy, pooled_lift
from insights.selectors.sums import Totals

NOTHING = Lift(None, None, None, 0, 0, "no partition is committed yet")
ONE_ARM = "the model has one arm: there is nothing to compare it with"


@dataclass(frozen=True)
class CoveredLift:
    """Lift over the rows that carried a label of the foundation model."""

    value: float | None
    low: float | None
    high: float | None
    rows: int


@dataclass(frozen=True)
class LiftFigure:
    """Percent of NE gained. `users` counts the hash-of-user buckets that the interval resamples, 256 at most."""

    value: float | None
    low: float | None
    high: float | None
    rows: int
    users: int
    covered: CoveredLift
    reason: str
    as_of: datetime | None


def figure(everything: Totals | None, covered: Totals | None) -> LiftFigure:
    """Return the lift of one model."""
    return _figure(_lift(everything), _lift(covered), everything.until if everything else None)


def pooled_figure(everything: Sequence[Totals], covered: Sequence[Totals]) -> LiftFigure:
    """Return the lift over several models' rows together (METHOD §1), never a mean of lifts."""
    until = max((held.until for held in everything), default=None)
    return _figure(pooled_lift(_pairs(everything)), pooled_lift(_pairs(covered)), until)


def ne(sums: BucketSums | None) -> float | None:
    """Return the normalized entropy; None where it is undefined."""
    return normalized_entropy(sums).value if sums is not None else None


def _pairs(many: Sequence[Totals]) -> list[tuple[BucketSums, BucketSums]]:
    return [(held.control, held.treatment) for held in many if held.treatment is not None]


def _lift(held: Totals | None) -> Lift:
    if held is None:
        return NOTHING
    if held.treatment is None:
        return Lift(None, None, None, held.control.rows, 0, ONE_ARM)
    return lift(held.control, held.treatment)


def _figure(everything: Lift, covered: Lift, until: datetime | None) -> LiftFigure:
    return LiftFigure(
        everything.value,
        everything.low,
        everything.high,
        everything.rows,
        everything.buckets,
        CoveredLift(covered.value, covered.low, covered.high, covered.rows),
        everything.reason,
        until,
    )
