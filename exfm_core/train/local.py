"""The whole method in one process, without the platform: for tuning recipes, notebooks and tests.

    teaching = teach(foundation, tenants, periods)       the FM, period after period, labels for every partition
    course   = study(spec, schema, partitions, labels)   one vertical model, its arms over one read

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

from exfm_core.cost import memory
from exfm_core.das.scorer import score
from exfm_core.das.snapshots import Snapshot, load_snapshot, refuse_leak, save_snapshot
from exfm_core.metrics.label_gate import WINDOW, GateHistory, RawLabel, label_gate
from exfm_core.metrics.sums import BucketSums, Lift, lift, normalized_entropy
from exfm_core.models.embeddings import Backend
from exfm_core.spec import FoundationSpec, StreamSchema, VerticalSpec
from exfm_core.train.arms import CONTROL, TREATMENT, Arm, same_label_placebo
from exfm_core.train.foundation import FoundationOutcome, FoundationTrainer
from exfm_core.train.foundation_rows import Stream
from exfm_core.train.gate import Limits
from exfm_core.train.vertical import Labels, VerticalOutcome, VerticalTrainer

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
    the FM's own progressive errors. `outcomes[t]`: the FM's training on period t. `regressed[t][tenant]`: task kinds on
    which the snapshot that labelled period t had regressed on that tenant's held-back users."""

    labels: list[dict[str, dict[str, Logits]]] = field(default_factory=list)
    sums: list[dict[str, dict[str, BucketSums]]] = field(default_factory=list)
    outcomes: list[FoundationOutcome] = field(default_factory=list)
    regressed: list[dict[str, frozenset[str]]] = field(default_factory=list)
    snapshot: Snapshot | None = None

    def raw_labels(self, tenant: str, kind: str) -> list[RawLabel]:
        """Per period, what the label gate knows of the teacher's raw label there: its errors on the periods before."""
        found: list[RawLabel] = []
        for t, regressed in enumerate(self.regressed):
            before = [sums[tenant][kind] for sums in self.sums[max(0, t - WINDOW) : t] if kind in sums.get(tenant, {})]
            sums = BucketSums.merge(before) if before else None
            found.append(RawLabel.of(sums, regressed=kind in regressed.get(tenant, frozenset())))
        return found


@dataclass(slots=True)
class Course:
    """A vertical model's way through its partitions. `task_gates[arm][task]`: whether the label gate stood open for a
    supervised arm, partition by partition. What is asked without a task is the primary task's."""

    trainer: VerticalTrainer
    outcomes: list[VerticalOutcome] = field(default_factory=list)
    task_gates: dict[str, dict[str, list[bool]]] = field(default_factory=dict)

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of the arms."""
        return tuple(self.trainer.arms)

    @property
    def gate_of(self) -> dict[str, list[bool]]:
        """The primary task's gate of each supervised arm."""
        return {arm: gates[self.trainer.spec.model.task] for arm, gates in self.task_gates.items()}

    @property
    def gates(self) -> list[bool]:
        """The gate of the arm named treatment; without one, of the first supervised arm."""
        return self.gate_of.get(TREATMENT) or next(iter(self.gate_of.values()), [])

    def sums(self, arm: str, *, covered: bool = False, task: str | None = None) -> BucketSums:
        """An arm's sums over all partitions."""
        name = task or self.trainer.spec.model.task
        parts = [outcome.tasks[name].arms[arm] for outcome in self.outcomes]
        return BucketSums.merge([part.covered if covered else part.all for part in parts])

    def ne(self, arm: str, *, task: str | None = None) -> float | None:
        """An arm's NE over all partitions."""
        return normalized_entropy(self.sums(arm, task=task)).value

    def label_sums(self, arm: str = TREATMENT, *, task: str | None = None) -> BucketSums:
        """Sums of an arm's SA-calibrated label over all covered rows."""
        name = task or self.trainer.spec.model.task
        parts = [outcome.tasks[name].labels.get(arm) for outcome in self.outcomes]
        return BucketSums.merge([part for part in parts if part is not None])

    def lift(
        self, arm: str = TREATMENT, *, over: str = CONTROL, covered: bool = False, task: str | None = None
    ) -> Lift:
        """NE gain of `arm` over `over` on the same rows, in %, with its interval."""
        pair = (self.sums(one, covered=covered, task=task) for one in (over, arm))
        return lift(*pair)

    def teachers_share(self, arm: str = TREATMENT, *, task: str | None = None) -> float | None:
        """What of the arm's lift is the teacher's, in percentage points: lift − same-label placebo (METHOD §5). None
        where no arm is that placebo."""
        placebo = same_label_placebo(self.trainer.arms[arm], tuple(self.trainer.arms.values()))
        if placebo is None:
            return None
        one, other = self.lift(arm, task=task).value, self.lift(placebo.name, task=task).value
        return None if one is None or other is None else one - other

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
    delay: int = 1,
) -> Teaching:
    """Trains the FM period after period, each scored first with the snapshot that was published `delay` periods ago:
    1 is the newest there can be, more makes the labels stale. SpecError or CapacityError where it does not fit into
    memory."""
    memory.require(memory.foundation_memory(foundation, streams=len(tenants)), "Teaching")
    trainer, teaching = FoundationTrainer(foundation, backend), Teaching()
    published: list[tuple[Snapshot, dict[str, frozenset[str]]] | None] = [None] * delay
    for number, period in enumerate(periods):
        labels: dict[str, dict[str, Logits]] = {}
        sums: dict[str, dict[str, BucketSums]] = {}
        old = published[-delay]
        for name, partition in period.items():
            if old is None:
                break
            refuse_leak(datetime.fromisoformat(old[0].watermark), partition.start)
            scored = score(old[0], partition.open(), tenants[name].schema, tenants[name].slot)
            labels[name], sums[name] = scored.logits, scored.sums
        streams = [Stream(p.open(), tenants[name].schema, tenants[name].slot) for name, p in period.items()]
        outcome = trainer.train(streams, teaching.snapshot, limits or Limits())
        watermark = max(partition.end for partition in period.values()).isoformat()
        newest = published[-1]
        if outcome.judgement.decision == "publish":
            data = save_snapshot(trainer.net, foundation, watermark, trainer.slots)
            teaching.snapshot = load_snapshot(data, backend)
            regressed = {name: outcome.judgement.regressed(tenants[name].slot) for name in tenants}
            newest = (teaching.snapshot, regressed)
        published = [*published[1:], newest]
        teaching.labels.append(labels)
        teaching.sums.append(sums)
        teaching.outcomes.append(outcome)
        teaching.regressed.append({} if old is None else old[1])
        if say is not None:
            say(f"period {number}: {outcome.rows} rows, {outcome.judgement.decision}, {outcome.seconds['total']:.1f} s")
    return teaching


def study(
    spec: VerticalSpec,
    schema: StreamSchema,
    partitions: Sequence[LocalPartition],
    labels: Sequence[Labels],
    *,
    arms: Sequence[str | Arm] = (CONTROL, TREATMENT),
    gated: bool = True,
    backend: Backend = "fused",
    starter: bytes | None = None,
    raw: Sequence[RawLabel | Mapping[str, RawLabel]] | None = None,
) -> Course:
    """Trains a vertical model over `partitions`, all arms over one read; `labels[i]` are partition i's teacher logits,
    None where there are none (of several tasks: by task). `gated`: each task of a supervised arm has a label gate of
    its own, which decides from the partitions before (METHOD §5); False leaves all of them open.
    `starter`: what arms with `starter=True` begin from. `raw[i]`: what is known of the raw label of partition i
    (`Teaching.raw_labels`, of several tasks: by task), for the gates of arms that the teacher itself teaches.
    SpecError or CapacityError where it does not fit into memory."""
    rows = max((partition.rows for partition in partitions), default=0)
    memory.require(memory.vertical_memory(spec, schema, arms=len(arms), rows=rows), "This study")
    trainer = VerticalTrainer(spec, schema, arms, backend, starter)
    gates = LabelGates(trainer, gated)
    course = Course(trainer, task_gates=gates.passed)
    for place, (partition, logits) in enumerate(zip(partitions, labels, strict=True)):
        outcome = trainer.train(
            partition.open(), partition.rows, logits, gates.decide(None if raw is None else raw[place])
        )
        gates.learn(outcome)
        course.outcomes.append(outcome)
    return course


class LabelGates:
    """The label gates of a trainer's supervised arms and tasks. `passed[arm][task]`: what they decided so far."""

    def __init__(self, trainer: VerticalTrainer, gated: bool = True) -> None:
        self._tasks, self._gated = trainer.spec.model.tasks, gated
        self._arms = {name: arm for name, arm in trainer.arms.items() if arm.supervision is not None}
        self.histories = {(arm, task): GateHistory() for arm in self._arms for task in self._tasks}
        self.passed: dict[str, dict[str, list[bool]]] = {arm: {task: [] for task in self._tasks} for arm in self._arms}

    def decide(self, raw: RawLabel | Mapping[str, RawLabel] | None = None) -> dict[str, dict[str, bool]]:
        """The position of each arm's and task's gate for the next partition."""
        decided: dict[str, dict[str, bool]] = {}
        for name, arm in self._arms.items():
            assert arm.supervision is not None  # noqa: S101  for the type checker
            decided[name] = {}
            for task in self._tasks:
                known = raw.get(task) if isinstance(raw, Mapping) else raw if task == self._tasks[0] else None
                known = known if arm.teacher == "fm" and not arm.shift else None
                history = self.histories[name, task]
                shut = self._gated and arm.gated and not label_gate(history, arm.supervision, known)
                decided[name][task] = not shut
                self.passed[name][task].append(not shut)
        return decided

    def learn(self, outcome: VerticalOutcome) -> None:
        """Takes a partition's sums into the histories."""
        for (name, task), history in self.histories.items():
            found = outcome.tasks[task]
            rival = found.arms.get(CONTROL) or found.arms[name]
            was_open = self.passed[name][task][-1]
            self.histories[name, task] = history.after(was_open, found.labels[name], rival.covered)
