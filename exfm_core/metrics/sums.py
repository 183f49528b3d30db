"""Sum-reducible metrics: what every commit stores, and every figure that is computed from it. Torch-free.

A model's quality on some rows is kept as four sums per hash-of-user bucket: n, Σy, Σloss (natural log), Σp.
Sums of different rows add up; NE, calibration, lift and its interval are functions of sums alone, so that a page
never needs the rows. Definitions: METHOD §1 and §3.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from exfm_core.errors import DataError
from exfm_core.metrics.histogram import BINS, AucEstimate, Figure, LogitHistogram

BUCKETS = 256
DRAWS = 1000
MIN_BUCKETS = 20
"""Fewest buckets with rows for which an interval is given."""

Floats = npt.NDArray[np.float64]

__all__ = [
    "BINS",
    "BUCKETS",
    "DRAWS",
    "MIN_BUCKETS",
    "AucEstimate",
    "BucketSums",
    "Figure",
    "Lift",
    "LogitHistogram",
    "calibration",
    "lift",
    "lift_draws",
    "log_loss",
    "log_losses",
    "normalized_entropy",
    "percentile_interval",
    "pooled_lift",
]


def log_losses(logits: npt.ArrayLike, labels: npt.ArrayLike) -> Floats:
    """h(z, y) of METHOD §2 per row: softplus(z) − y·z, exact at any size of z."""
    z = np.asarray(logits, dtype=np.float64)
    return np.asarray(np.logaddexp(0.0, z) - np.asarray(labels, dtype=np.float64) * z)


@dataclass(frozen=True, slots=True, eq=False)
class BucketSums:
    """n, Σy, Σloss and Σp of a set of rows, each as float64 [256] over hash-of-user buckets. Immutable."""

    n: Floats
    y: Floats
    loss: Floats
    p: Floats

    @classmethod
    def zeros(cls) -> Self:
        """The sums of no rows."""
        return cls(*(np.zeros(BUCKETS) for _ in range(4)))

    @classmethod
    def of(cls, buckets: npt.ArrayLike, labels: npt.ArrayLike, logits: npt.ArrayLike) -> Self:
        """Sum rows up. All [rows]: ``buckets`` 0..255, ``labels`` in [0, 1], ``logits`` finite."""
        index = np.asarray(buckets, dtype=np.int64)
        y, z = np.asarray(labels, dtype=np.float64), np.asarray(logits, dtype=np.float64)
        p = 0.5 * (1.0 + np.tanh(0.5 * z))
        columns = (np.ones_like(z), y, log_losses(z, y), p)
        return cls(*(np.bincount(index, column, BUCKETS).astype(np.float64) for column in columns))

    def __add__(self, other: BucketSums) -> BucketSums:
        return BucketSums(self.n + other.n, self.y + other.y, self.loss + other.loss, self.p + other.p)

    def add(self, buckets: npt.ArrayLike, labels: npt.ArrayLike, logits: npt.ArrayLike) -> BucketSums:
        """Return these sums with more rows added."""
        return self + BucketSums.of(buckets, labels, logits)

    @classmethod
    def merge(cls, many: Sequence[BucketSums]) -> BucketSums:
        """Return the sums of several disjoint sets of rows."""
        return sum(many, start=cls.zeros())

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.n.sum())

    @property
    def positives(self) -> float:
        """Σy over all rows."""
        return float(self.y.sum())

    def to_json(self) -> dict[str, list[float]]:
        """Return four lists of 256 doubles; JSON keeps them exactly."""
        return {"n": self.n.tolist(), "y": self.y.tolist(), "loss": self.loss.tolist(), "p": self.p.tolist()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read ``to_json``'s form; DataError if it is not four lists of 256 finite numbers >= 0."""
        if not isinstance(data, Mapping) or set(data) != {"n", "y", "loss", "p"}:
            raise DataError("sums.malformed", "Sums must hold n, y, loss and p and nothing else.", "Send all four.")
        arrays = []
        for name in ("n", "y", "loss", "p"):
            try:
                array = np.asarray(data[name], dtype=np.float64)
            except (TypeError, ValueError):
                array = np.empty(0)
            if array.shape != (BUCKETS,) or not np.isfinite(array).all() or (array < 0).any():
                raise DataError(
                    "sums.malformed",
                    f"Sums: {name!r} must be {BUCKETS} finite numbers, none below zero.",
                    "A loss that is not finite means the model diverged: lower its learning rate.",
                )
            arrays.append(array)
        return cls(*arrays)


def log_loss(sums: BucketSums) -> Figure:
    """Mean log loss in nats."""
    if not sums.rows:
        return Figure(None, "no rows")
    return Figure(float(sums.loss.sum() / sums.n.sum()))


def normalized_entropy(sums: BucketSums) -> Figure:
    """NE = log loss ÷ entropy of the base rate of the same rows; undefined where only one class occurs."""
    rows, positives = float(sums.n.sum()), sums.positives
    if not rows:
        return Figure(None, "no rows")
    if positives <= 0 or positives >= rows:
        return Figure(None, "only one class")
    rate = positives / rows
    entropy = -(rate * math.log(rate) + (1 - rate) * math.log1p(-rate))
    return Figure(float(sums.loss.sum()) / rows / entropy)


def calibration(sums: BucketSums) -> Figure:
    """Σp ÷ Σy; 1 is calibrated; undefined without positives."""
    if not sums.rows:
        return Figure(None, "no rows")
    if sums.positives <= 0:
        return Figure(None, "no positives")
    return Figure(float(sums.p.sum()) / sums.positives)


@dataclass(frozen=True, slots=True)
class Lift:
    """NE gain in % with its 95 % interval; ``reason`` says why a figure is missing."""

    value: float | None
    low: float | None
    high: float | None
    rows: int
    buckets: int
    reason: str = ""


def lift(control: BucketSums, treatment: BucketSums, *, draws: int = DRAWS, seed: int = 0) -> Lift:
    """Lift of one model: 100·(1 − Σloss_treatment ÷ Σloss_control) over the same rows."""
    return pooled_lift([(control, treatment)], draws=draws, seed=seed)


def pooled_lift(
    pairs: Sequence[tuple[BucketSums, BucketSums]], *, draws: int = DRAWS, seed: int = 0, level: float = 0.95
) -> Lift:
    """Lift over several models' (control, treatment) sums: 100·(1 − ΣΣloss_treatment ÷ ΣΣloss_control).

    The interval is a paired percentile bootstrap over user buckets. A user who meets several models falls into the
    same bucket everywhere, so a bucket is drawn for all models at once; draws are fixed by ``seed``.
    Raises DataError if two arms were not measured on the same rows.
    """
    for control, treatment in pairs:
        if not (np.array_equal(control.n, treatment.n) and np.array_equal(control.y, treatment.y)):
            raise DataError(
                "sums.not_paired",
                "Control and treatment were measured on different rows.",
                "Compare sums of the same partitions only.",
            )
    control_k = np.sum([control.loss for control, _ in pairs], axis=0) if pairs else np.zeros(BUCKETS)
    treatment_k = np.sum([treatment.loss for _, treatment in pairs], axis=0) if pairs else np.zeros(BUCKETS)
    rows = sum(control.rows for control, _ in pairs)
    held = np.flatnonzero(np.sum([control.n for control, _ in pairs], axis=0) > 0) if rows else np.empty(0, np.int64)
    if not rows:
        return Lift(None, None, None, 0, 0, "no rows")
    if control_k.sum() <= 0:
        return Lift(None, None, None, rows, len(held), "the control has no loss")
    value = 100.0 * (1.0 - float(treatment_k.sum()) / float(control_k.sum()))
    if len(held) < MIN_BUCKETS:
        return Lift(value, None, None, rows, len(held), f"too few users for an interval ({len(held)} buckets)")
    low, high = percentile_interval(_drawn_gains(control_k[held], treatment_k[held], draws, seed), level)
    return Lift(value, low, high, rows, len(held))


def lift_draws(control: BucketSums, treatment: BucketSums, *, draws: int = DRAWS, seed: int = 0) -> Floats:
    """The resampled lifts behind one model's interval, in %: the same buckets are drawn for the same ``seed`` and the
    same rows, so that draws of two treatments over one control are pairs."""
    held = np.flatnonzero(control.n > 0)
    return _drawn_gains(control.loss[held], treatment.loss[held], draws, seed)


def percentile_interval(drawn: Floats, level: float = 0.95) -> tuple[float, float]:
    """The central ``level`` of resampled figures."""
    tail = 50.0 * (1.0 - level)
    low, high = np.percentile(drawn, [tail, 100.0 - tail])
    return float(low), float(high)


def _drawn_gains(control_k: Floats, treatment_k: Floats, draws: int, seed: int) -> Floats:
    counts = _resamples(len(control_k), draws, seed)
    drawn_control, drawn_treatment = counts @ control_k, counts @ treatment_k
    usable = drawn_control > 0
    return np.asarray(100.0 * (1.0 - drawn_treatment[usable] / drawn_control[usable]))


@functools.lru_cache(maxsize=8)
def _resamples(size: int, draws: int, seed: int) -> Floats:
    """How often each of ``size`` buckets is drawn: [draws, size], each row summing to ``size``."""
    drawn = np.random.Generator(np.random.PCG64(seed)).integers(0, size, (draws, size))
    flat = drawn + np.arange(draws)[:, None] * size
    counts = np.bincount(flat.ravel(), minlength=draws * size).reshape(draws, size).astype(np.float64)
    counts.setflags(write=False)
    return counts
