"""AUC across partitions from a histogram of logits, with a bound on its error. Torch-free.

Exact AUC needs all scores at once; a histogram of 16,384 logit bins per class adds up over partitions and is 100 kB
at most. Two rows of one bin count as a tie, so the estimate is off by at most half the share of such pairs.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from exfm_core.errors import DataError

BINS = 16384
_LIMIT = 16.0
_BYTES = 2 * BINS * 4


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, or None and the reason why it is undefined."""

    value: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AucEstimate:
    """AUC and the largest amount by which it can differ from the exact one; None with a reason if undefined."""

    value: float | None
    error: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class LogitHistogram:
    """Counts of negative and positive rows per logit bin, int64 [16384] each; ±16 and beyond share the end bins."""

    negatives: npt.NDArray[np.int64]
    positives: npt.NDArray[np.int64]

    @classmethod
    def zeros(cls) -> Self:
        """The histogram of no rows."""
        return cls(np.zeros(BINS, np.int64), np.zeros(BINS, np.int64))

    @classmethod
    def of(cls, logits: npt.ArrayLike, labels: npt.ArrayLike) -> Self:
        """Count rows: ``logits`` [rows] finite, ``labels`` [rows] 0 or 1."""
        z = np.clip(np.asarray(logits, dtype=np.float64), -_LIMIT, _LIMIT)
        bins = np.minimum(((z + _LIMIT) * (BINS / (2 * _LIMIT))).astype(np.int64), BINS - 1)
        positive = np.asarray(labels, dtype=np.float64) > 0.5
        return cls(np.bincount(bins[~positive], minlength=BINS), np.bincount(bins[positive], minlength=BINS))

    def __add__(self, other: LogitHistogram) -> LogitHistogram:
        return LogitHistogram(self.negatives + other.negatives, self.positives + other.positives)

    def encode(self) -> str:
        """Return base64 of zlib of int32 [2, 16384], little-endian, negatives first."""
        counts = np.stack([self.negatives, self.positives])
        if counts.max() > np.iinfo(np.int32).max:
            raise DataError("histogram.overflow", "A logit bin holds more than 2³¹ rows.", "Merge fewer partitions.")
        return base64.b64encode(zlib.compress(counts.astype("<i4").tobytes(), 6)).decode("ascii")

    @classmethod
    def decode(cls, text: str) -> Self:
        """Read ``encode``'s form; DataError if it is anything else."""
        try:
            packed = base64.b64decode(text, validate=True)
            raw = zlib.decompressobj().decompress(packed, _BYTES + 1)
        except (binascii.Error, zlib.error, ValueError, TypeError):
            raw = b""
        if len(raw) != _BYTES:
            raise DataError("histogram.malformed", "This is not a logit histogram.", f"Send {_BYTES} bytes, packed.")
        counts = np.frombuffer(raw, "<i4").reshape(2, BINS).astype(np.int64)
        if counts.min() < 0:
            raise DataError("histogram.malformed", "A logit histogram counts below zero.", "Send counts.")
        return cls(counts[0], counts[1])

    def auc(self) -> AucEstimate:
        """AUC with ties (here: rows of one bin) at half, and its error bound."""
        neg, pos = self.negatives.astype(np.float64), self.positives.astype(np.float64)
        pairs = float(neg.sum() * pos.sum())
        if not pairs:
            return AucEstimate(None, None, "only one class" if neg.sum() + pos.sum() else "no rows")
        below = np.cumsum(neg) - neg
        tied = float(neg @ pos)
        return AucEstimate((float(below @ pos) + 0.5 * tied) / pairs, 0.5 * tied / pairs)
