"""Calibration by bins of the predicted probability: the reliability curve, and ECE. Torch-free.

ECE = Σ_b (n_b / n)·|mean p_b − mean y_b| (Naeini et al. 2015; Guo et al. 2017) over bins of equal width. Bins are
sums, so partitions add up. ECE depends on the number of bins: compare only figures with the same number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from exfm_core.errors import DataError
from exfm_core.metrics.histogram import Figure

ECE_BINS = 20

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """n, Σy and Σp per bin of the predicted probability, float64 [bins]; bin b is [b/bins, (b+1)/bins)."""

    n: Floats
    y: Floats
    p: Floats

    @classmethod
    def of(cls, probabilities: npt.ArrayLike, labels: npt.ArrayLike, bins: int = ECE_BINS) -> Self:
        """Sums of rows. Both [rows]; probabilities in [0, 1], 1 itself in the last bin. Raises DataError."""
        p, y = np.asarray(probabilities, np.float64), np.asarray(labels, np.float64)
        if not ((p >= 0) & (p <= 1)).all():
            raise DataError(
                "metrics.probability", "A prediction lies outside 0 to 1.", "Pass probabilities, not logits."
            )
        bin_of = np.minimum((p * bins).astype(np.int64), bins - 1)
        return cls(*(np.bincount(bin_of, column, bins).astype(np.float64) for column in (np.ones_like(p), y, p)))

    def __add__(self, other: Reliability) -> Reliability:
        if len(self.n) != len(other.n):
            raise DataError("metrics.bins", "Bins of different numbers do not add up.", "Use one number of bins.")
        return Reliability(self.n + other.n, self.y + other.y, self.p + other.p)

    def error(self) -> Figure:
        """ECE."""
        if not self.n.sum():
            return Figure(None, "no rows")
        return Figure(float(np.abs(self.p - self.y).sum() / self.n.sum()))

    def curve(self) -> list[tuple[float, float, int]]:
        """(mean prediction, share of positives, rows) of every bin that has rows, in order."""
        held = np.flatnonzero(self.n)
        return [(float(self.p[b] / self.n[b]), float(self.y[b] / self.n[b]), int(self.n[b])) for b in held]
