"""What a pass over a partition measured, from logits kept row by row."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from exfm_core.errors import DataError
from exfm_core.metrics.auc import exact_auc
from exfm_core.metrics.sums import BucketSums, LogitHistogram, log_losses

Floats = npt.NDArray[np.float32]
_PART = 1 << 20
"""Rows summed up at a time: the sums' float64 scratch stays small beside the ledger."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One arm on one partition, each row predicted before it was trained on. `auc` None: only one class."""

    all: BucketSums
    covered: BucketSums
    auc: float | None
    histogram: LogitHistogram


class Ledger:
    """Logits of every arm, and labels, of the rows of one partition as they go by: 6 bytes a row and 4 per arm."""

    def __init__(self, rows: int, arms: tuple[str, ...]) -> None:
        self.logits: dict[str, Floats] = {arm: np.empty(rows, np.float32) for arm in arms}
        self.labels = np.empty(rows, np.float32)
        self.buckets = np.empty(rows, np.int16)
        self.rows = rows
        self.done = 0

    def normalized_entropy(self) -> dict[str, float]:
        """`ne_<arm>` so far, for display; empty while only one class was seen."""
        y = self.labels[: self.done]
        rate = float(y.mean()) if self.done else 0.0
        if not 0.0 < rate < 1.0:
            return {}
        entropy = -(rate * np.log(rate) + (1 - rate) * np.log1p(-rate))
        return {f"ne_{arm}": float(log_losses(z[: self.done], y).mean() / entropy) for arm, z in self.logits.items()}

    def measure(self, arm: str, covered: npt.NDArray[np.bool_]) -> Measured:
        """Sums, AUC and histogram of an arm. Raises DataError where a logit is not finite: the model diverged."""
        z, y, k = self.logits[arm], self.labels, self.buckets
        if not np.isfinite(z).all():
            row = int(np.flatnonzero(~np.isfinite(z))[0])
            raise DataError(
                "train.diverged",
                f"The {arm} arm's logit of row {row} is not a finite number: its training diverged.",
                "Lower the learning rates in the model's spec and start a new lineage.",
            )
        every = bucket_sums(k, y, z)
        some = every if covered.all() else bucket_sums(k, y, z, covered)
        histogram = sum((LogitHistogram.of(z[part], y[part]) for part in _parts(len(z))), start=LogitHistogram.zeros())
        return Measured(every, some, exact_auc(z, y), histogram)


def bucket_sums(
    buckets: npt.NDArray[np.int16], labels: Floats, logits: Floats, rows: npt.NDArray[np.bool_] | None = None
) -> BucketSums:
    """`BucketSums.of` all rows, or of those in the mask `rows`, a part at a time."""
    found = []
    for part in _parts(len(logits)):
        k, y, z = buckets[part], labels[part], logits[part]
        if rows is not None:
            k, y, z = k[rows[part]], y[rows[part]], z[rows[part]]
        found.append(BucketSums.of(k, y, z))
    return BucketSums.merge(found)


def _parts(rows: int) -> list[slice]:
    return [slice(first, first + _PART) for first in range(0, rows, _PART)]
