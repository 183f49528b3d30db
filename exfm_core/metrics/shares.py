"""How much of a stream the teacher's labels reached, and how much of it clipping or lateness spoilt. Torch-free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from exfm_core.metrics.histogram import Figure

CLIPPED_WARNING: Final = 0.01
"""Label scaling that clips loses ranking information: over 1 % of the covered rows it is worth a warning."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Counts of rows; they add up over partitions.

    `rows`: trained on. `covered`: with a teacher logit. `clipped`: covered, with α·q > 1. `late`: without a logit only
    because their partition's label deadline had passed.
    """

    rows: int = 0
    covered: int = 0
    clipped: int = 0
    late: int = 0

    def __add__(self, other: Shares) -> Shares:
        return Shares(
            self.rows + other.rows,
            self.covered + other.covered,
            self.clipped + other.clipped,
            self.late + other.late,
        )

    @property
    def coverage(self) -> Figure:
        """Share of rows with a teacher logit."""
        return _share(self.covered, self.rows, "no rows")

    @property
    def clipped_share(self) -> Figure:
        """Share of covered rows whose scaled label was cut at 1."""
        return _share(self.clipped, self.covered, "no covered rows")

    @property
    def late_share(self) -> Figure:
        """Share of rows whose labels came too late."""
        return _share(self.late, self.rows, "no rows")

    @property
    def warns_of_clipping(self) -> bool:
        """True over 1 % of the covered rows."""
        return (self.clipped_share.value or 0.0) > CLIPPED_WARNING


def _share(part: int, whole: int, reason: str) -> Figure:
    return Figure(part / whole) if whole else Figure(None, reason)
