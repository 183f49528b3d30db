"""The label gate of METHOD §5: whether a vertical model may learn from its teacher's labels on the next partition.

Statistic: progressive NE of the SA-calibrated label against the control arm's, over the covered rows of the last K
partitions (same rows, so a ratio of losses). *strong* (a KD term on the serving head) needs it, with hysteresis.
*safe* is masked until the teacher has passed once, and again while the label knows nothing: over K partitions its NE is
no better than the base rate's. Before the first partition a model has no history: the teacher's raw label speaks, by
its own progressive evaluation on that tenant. A head that the publishing gate found worse on that tenant's users keeps
the gate shut for its snapshot's labels. The adapter goes on learning while the gate is shut, or it would never open.
Torch-free. Measurements: docs/adr/0009-label-gate.md.
"""

import math
from dataclasses import dataclass, replace
from typing import Final, Self

from exfm_core.metrics.sums import BucketSums, calibration, normalized_entropy
from exfm_core.spec import Supervision

WINDOW: Final = 4
"""K partitions."""
OPENS_BELOW: Final = 1.0
SHUTS_ABOVE: Final = 1.01
"""Hysteresis: an open gate shuts only when the calibrated label is worse than the control by more than 1 %."""
KNOWS_NOTHING: Final = 1.0
KNOWS_AGAIN: Final = 0.98
"""NE of the calibrated label at which *safe* shuts, and below which it opens again."""
MIN_ROWS: Final = 200
FIRST_NE: Final = 0.95
FIRST_CALIBRATION: Final = (0.8, 1.25)


@dataclass(frozen=True, slots=True)
class RawLabel:
    """The teacher's own evaluation on a tenant and task, on rows it had not seen. `regressed`: the publishing gate
    found the snapshot outside its limits on that tenant's held-back users."""

    ne: float | None = None
    rows: int = 0
    calibration: float | None = None
    regressed: bool = False

    @classmethod
    def of(cls, sums: BucketSums | None, *, regressed: bool = False) -> Self:
        """From progressive sums of the raw label; None: nothing is known."""
        if sums is None:
            return cls(regressed=regressed)
        return cls(normalized_entropy(sums).value, sums.rows, calibration(sums).value, regressed)

    @property
    def good(self) -> bool:
        """Whether the raw label clearly knows something."""
        return self.ne is not None and self.ne <= FIRST_NE and self.rows >= MIN_ROWS

    @property
    def calibrated(self) -> bool:
        """Whether the serving head may read it before the adapter has learnt."""
        low, high = FIRST_CALIBRATION
        return self.calibration is not None and low <= self.calibration <= high


@dataclass(frozen=True, slots=True)
class GateHistory:
    """What the gate remembers, oldest first: rows, Σloss of label and control, and Σy per partition with covered rows.
    Without `positives` the label's own NE is not known."""

    rows: tuple[float, ...] = ()
    label_loss: tuple[float, ...] = ()
    control_loss: tuple[float, ...] = ()
    is_open: bool = False
    ever_passed: bool = False
    positives: tuple[float, ...] = ()

    @property
    def ratio(self) -> float | None:
        """NE of the calibrated label ÷ NE of the control; None with fewer than 200 rows."""
        control = sum(self.control_loss)
        return sum(self.label_loss) / control if sum(self.rows) >= MIN_ROWS and control > 0 else None

    @property
    def label_ne(self) -> float | None:
        """NE of the calibrated label; None with fewer than 200 rows, or where it is not defined."""
        n, positives = sum(self.rows), sum(self.positives)
        if n < MIN_ROWS or len(self.positives) != len(self.rows) or not 0 < positives < n:
            return None
        rate = positives / n
        entropy = -(rate * math.log(rate) + (1 - rate) * math.log1p(-rate))
        return sum(self.label_loss) / n / entropy

    @property
    def passes(self) -> bool:
        """Whether the calibrated label beats the control and knows something. A cold control may be worse than the base
        rate: a label that only beats that one, such as a calibrated constant, has nothing to teach."""
        known = self.label_ne is None or self.label_ne < KNOWS_NOTHING
        return known and self.ratio is not None and self.ratio < OPENS_BELOW

    def after(self, was_open: bool, label: BucketSums | None, control: BucketSums) -> "GateHistory":
        """The history after a partition: `label` sums of σ(a), `control` sums of the same (covered) rows."""
        if label is None or not label.rows:
            return replace(self, is_open=was_open)
        keep = 1 - WINDOW
        history = replace(
            self,
            rows=(*self.rows[keep:], float(label.rows)),
            label_loss=(*self.label_loss[keep:], float(label.loss.sum())),
            control_loss=(*self.control_loss[keep:], float(control.loss.sum())),
            is_open=was_open,
            positives=(*self.positives[keep:], label.positives),
        )
        return replace(history, ever_passed=history.ever_passed or history.passes)


def label_gate(history: GateHistory, supervision: Supervision, raw: RawLabel | None = None) -> bool:
    """True where the next partition may be trained with the teacher's labels. `raw`: what is known of the snapshot that
    labelled it. Neither history nor a good raw label: shut."""
    if raw is not None and raw.regressed:
        return False
    strong = supervision.same_task_only
    if not history.rows and raw is not None and raw.good and (raw.calibrated or not strong):
        return True
    if not strong:
        return history.ever_passed and not _knows_nothing(history)
    ratio = history.ratio
    if ratio is None:
        return False
    return ratio < SHUTS_ABOVE if history.is_open else history.passes


def _knows_nothing(history: GateHistory) -> bool:
    ne = history.label_ne
    if ne is None or history.passes:
        return False
    if history.is_open:
        return len(history.rows) >= WINDOW and ne >= KNOWS_NOTHING
    return ne >= KNOWS_AGAIN
