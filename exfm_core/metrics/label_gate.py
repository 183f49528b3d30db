"""The label gate of METHOD §5: whether a vertical model may learn from its teacher's labels on the next partition.

Statistic: progressive NE of the SA-calibrated label against the control arm's, over the covered rows of the last K
partitions (same rows, so a ratio of losses). *strong* (a KD term on the serving head) needs it, with hysteresis;
*safe* is masked only until the teacher has passed once. The adapter goes on learning while the gate is shut, or it
would never open. Torch-free.
"""

from dataclasses import dataclass, replace
from typing import Final

from exfm_core.metrics.sums import BucketSums
from exfm_core.spec import Supervision

WINDOW: Final = 4
"""K partitions."""
OPENS_BELOW: Final = 1.0
SHUTS_ABOVE: Final = 1.01
"""Hysteresis: an open gate shuts only when the calibrated label is worse than the control by more than 1 %."""
MIN_ROWS: Final = 200


@dataclass(frozen=True, slots=True)
class GateHistory:
    """What the gate remembers, oldest first: Σloss of label and control per partition with covered rows."""

    rows: tuple[float, ...] = ()
    label_loss: tuple[float, ...] = ()
    control_loss: tuple[float, ...] = ()
    is_open: bool = False
    ever_passed: bool = False

    @property
    def ratio(self) -> float | None:
        """NE of the calibrated label ÷ NE of the control; None with fewer than 200 rows."""
        control = sum(self.control_loss)
        return sum(self.label_loss) / control if sum(self.rows) >= MIN_ROWS and control > 0 else None

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
        )
        ratio = history.ratio
        return replace(history, ever_passed=history.ever_passed or (ratio is not None and ratio < OPENS_BELOW))


def label_gate(history: GateHistory, supervision: Supervision) -> bool:
    """True where the next partition may be trained with the teacher's labels. No history: shut."""
    if not supervision.same_task_only:
        return history.ever_passed
    ratio = history.ratio
    if ratio is None:
        return False
    return ratio < (SHUTS_ABOVE if history.is_open else OPENS_BELOW)
