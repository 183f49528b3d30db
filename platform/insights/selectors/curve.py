"""A model's course in event time: NE, lift and AUC by partition, and the same from the beginning up to it."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from exfm_core.metrics.sums import BucketSums, Lift, lift
from insights.selectors import sums, supervision
from insights.selectors.comparisons import Comparison, comparisons
from insights.selectors.lifts import ne
from insights.selectors.memory import Memory
from insights.selectors.supervision import ClaimFacts
from registry import selectors as registry

PARTITION_DRAWS = 200
"""Bootstrap draws for one partition's band; the cumulative band has the draws of the headline figure."""


@dataclass(frozen=True)
class Cumulative:
    """From the first partition up to this one."""

    ne_control: float | None
    ne_treatment: float | None
    lift: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class CurvePoint:
    """One partition. Lift and its band in %."""

    start: datetime
    end: datetime
    rows: int
    covered: int
    ne_control: float | None
    ne_treatment: float | None
    lift: float | None
    low: float | None
    high: float | None
    auc_control: float | None
    auc_treatment: float | None
    gate: str | None
    snapshot: uuid.UUID | None
    freshness_seconds: float | None
    cumulative: Cumulative


@dataclass(frozen=True)
class Curve:
    """A model's points in event-time order."""

    partitions: list[CurvePoint]


NOTHING = Curve([])

_curves: Memory[Curve] = Memory(most=256)


def curve(*, model_id: uuid.UUID) -> Curve:
    """Return the model's course; NotFound if the scope has no such model."""
    held = comparisons(model_ids=[model_id])[model_id]
    if held.version is None:
        registry.vertical_model(model_id=model_id)
    return _curves.recall([held], lambda rows: {row.model_id: _course(row) for row in rows})[0] or NOTHING


def _course(held: Comparison) -> Curve:
    slices = sums.slices(comparison=held)
    facts = supervision.claim_facts(lineage_id=held.lead) if held.lead else {}
    covered = {row.partition_id: row.control.rows for row in slices if row.scope == "covered"}
    control, treatment = BucketSums.zeros(), BucketSums.zeros()
    points = []
    for row in slices:
        if row.scope != "all":
            continue
        control = control + row.control
        treatment = treatment + (row.treatment or BucketSums.zeros())
        so_far = treatment if row.treatment is not None else None
        points.append(
            _point(row, covered.get(row.partition_id, 0), facts.get(row.partition_id), _cumulative(control, so_far))
        )
    return Curve(points)


def _point(row: sums.Slice, covered: int, facts: ClaimFacts | None, cumulative: Cumulative) -> CurvePoint:
    known = facts or ClaimFacts(None, None, None)
    gain = _lift(row.control, row.treatment, PARTITION_DRAWS)
    return CurvePoint(
        start=row.start,
        end=row.end,
        rows=row.control.rows,
        covered=covered,
        ne_control=ne(row.control),
        ne_treatment=ne(row.treatment),
        lift=gain.value,
        low=gain.low,
        high=gain.high,
        auc_control=row.auc_control,
        auc_treatment=row.auc_treatment,
        gate=known.gate,
        snapshot=known.snapshot_id,
        freshness_seconds=known.freshness_seconds,
        cumulative=cumulative,
    )


def _cumulative(control: BucketSums, treatment: BucketSums | None) -> Cumulative:
    gain = _lift(control, treatment, None)
    return Cumulative(ne(control), ne(treatment), gain.value, gain.low, gain.high)


def _lift(control: BucketSums, treatment: BucketSums | None, draws: int | None) -> Lift:
    if treatment is None:
        return Lift(None, None, None, control.rows, 0)
    return lift(control, treatment) if draws is None else lift(control, treatment, draws=draws)
