"""The whole method in one process, without the platform: for tuning recipes, notebooks and tests.

    teaching = teach(foundation, tenants, periods)       the FM, period after period, labels for every partition
    course   = study(spec, schema, partitions, labels)   one vertical model, control and treatment

Both walk the periods in time order and keep METHOD §3's order: score period t with what was published before it,
predict and train the vertical models on it, then train the FM on it.
"""

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from exfm_core.das.scorer import score
from exfm_core.das.snapshots import Snapshot, load_snapshot, refuse_leak, save_snapshot
from exfm_core.metrics.label_gate import GateHistory, label_gate
from exfm_core.metrics.sums import BucketSums, Lift, lift, normalized_entropy
from exfm_core.models.embeddings import Backend
from exfm_core.spec import FoundationSpec, StreamSchema, VerticalSpec
from exfm_core.train.foundation import FoundationOutcome, FoundationTrainer
from exfm_core.train.foundation_rows import Stream
from exfm_core.train.gate import Limits
from exfm_core.train.vertical import VerticalOutcome, VerticalTrainer

Logits = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LocalPartition:
    """A sealed partition: a Parquet file (path, or its bytes) of `rows` rows in `[start, end)`."""

    source: str | Path | bytes
    rows: int
    start: datetime
    end: datetime

    def open(self) -> str | Path | io.BytesIO:
        """What a reader takes; a fresh one at every call."""
        return io.BytesIO(self.source) if isinstance(self.source, bytes) else self.source


@dataclass(frozen=True, slots=True)
class LocalTenant:
    """A tenant's stream and its slot in the foundation model (1 and up)."""

    schema: StreamSchema
    slot: int


@dataclass(slots=True)
class Teaching:
    """`labels[t][tenant][task kind]`: logits of period t, absent before the first published snapshot. `sums` likewise:
    the FM's own progressive errors. `outcomes[t]`: the FM's training on period t."""

    labels: list[dict[str, dict[str, Logits]]] = field(default_factory=list)
    sums: list[dict[str, dict[str, BucketSums]]] = field(default_factory=list)
    outcomes: list[FoundationOutcome] = field(default_factory=list)
    snapshot: Snapshot | None = None


@dataclass(slots=True)
class Course:
    """A vertical model's way through its partitions."""

    outcomes: list[VerticalOutcome] = field(default_factory=list)
    gates: list[bool] = field(default_factory=list)
    trainer: VerticalTrainer | None = None

    def sums(self, arm: str, *, covered: bool = False) -> BucketSums:
        """An arm's sums over all partitions."""
        parts = [outcome.arms[arm] for outcome in self.outcomes]
        return BucketSums.merge([part.covered if covered else part.all for part in parts])

    def ne(self, arm: str) -> float | None:
        """An arm's NE over all partitions."""
        return normalized_entropy(self.sums(arm)).value

    def lift(self, *, covered: bool = False) -> Lift:
        """NE gain of treatment over control, in %, with its interval."""
        return lift(self.sums("control", covered=covered), self.sums("treatment", covered=covered))

    @property
    def seconds(self) -> float:
        """Wall time of the training."""
        return sum(outcome.seconds["total"] for outcome in self.outcomes)


def teach(
    foundation: FoundationSpec,
    tenants: Mapping[str, LocalTenant],
    periods: Iterable[Mapping[str, LocalPartition]],
    *,
    limits: Limits | None = None,
    backend: Backend = "fused",
    say: Callable[[str], None] | None = None,
) -> Teaching:
    """Trains the FM period after period, each scored first with the newest published snapshot."""
    trainer, teaching = FoundationTrainer(foundation, backend), Teaching()
    for number, period in enumerate(periods):
        labels: dict[str, dict[str, Logits]] = {}
        sums: dict[str, dict[str, BucketSums]] = {}
        for name, partition in period.items():
            if teaching.snapshot is None:
                break
            refuse_leak(datetime.fromisoformat(teaching.snapshot.watermark), partition.start)
            scored = score(teaching.snapshot, partition.open(), tenants[name].schema, tenants[name].slot)
            labels[name], sums[name] = scored.logits, scored.sums
        streams = [Stream(p.open(), tenants[name].schema, tenants[name].slot) for name, p in period.items()]
        outcome = trainer.train(streams, teaching.snapshot, limits or Limits())
        watermark = max(partition.end for partition in period.values()).isoformat()
        if outcome.judgement.decision == "publish":
            data = save_snapshot(trainer.net, foundation, watermark, trainer.slots)
            teaching.snapshot = load_snapshot(data, backend)
        teaching.labels.append(labels)
        teaching.sums.append(sums)
        teaching.outcomes.append(outcome)
        if say is not None:
            say(f"period {number}: {outcome.rows} rows, {outcome.judgement.decision}, {outcome.seconds['total']:.1f} s")
    return teaching


def study(
    spec: VerticalSpec,
    schema: StreamSchema,
    partitions: Sequence[LocalPartition],
    labels: Sequence[Logits | None],
    *,
    arms: tuple[str, ...] = ("control", "treatment"),
    gated: bool = True,
    backend: Backend = "fused",
) -> Course:
    """Trains a vertical model over `partitions`; `labels[i]` are partition i's teacher logits, None where there are
    none. `gated`: the label gate decides from the partitions before (METHOD §5); False leaves it open."""
    course = Course(trainer=VerticalTrainer(spec, schema, arms, backend))
    assert course.trainer is not None  # noqa: S101  for the type checker
    history = GateHistory()
    for partition, logits in zip(partitions, labels, strict=True):
        is_open = not gated or label_gate(history, spec.supervision)
        outcome = course.trainer.train(partition.open(), partition.rows, logits, is_open)
        reference = outcome.arms.get("control") or outcome.arms["treatment"]
        history = history.after(is_open, outcome.label, reference.covered)
        course.outcomes.append(outcome)
        course.gates.append(is_open)
    return course
