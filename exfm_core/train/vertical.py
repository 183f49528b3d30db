"""The trainer of a vertical model: its arms, control and treatment or more, over one read of a partition.

Same seed, same initial served weights, same batches. A batch's logits come from the forward pass that its update
starts from, so every row is predicted by weights that have not seen it: progressive evaluation costs no extra pass.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from exfm_core.data.encode import blocks, vertical_layout
from exfm_core.data.partitions import Source
from exfm_core.distill.losses import clipped_rows
from exfm_core.distill.student import Student, Teacher
from exfm_core.errors import DataError, SpecError
from exfm_core.metrics.sums import BucketSums
from exfm_core.models.embeddings import Backend
from exfm_core.models.inputs import Inputs
from exfm_core.spec import StreamSchema, VerticalSpec
from exfm_core.train.arms import TREATMENT, Arm, resolve
from exfm_core.train.measure import Ledger, Measured, bucket_sums
from exfm_core.train.rows import Cutter, Rows, spans
from exfm_core.train.starters import apply_starter

Tick = Callable[[Ledger], None]
"""Called after each batch; may raise to stop between two batches."""


Labels = npt.NDArray[np.float32] | Mapping[str, npt.NDArray[np.float32] | None] | None
"""Teacher logits of a partition [rows], NaN = none: of the primary task, or by task. None: no label set."""
Gate = bool | Mapping[str, bool | Mapping[str, bool]]
"""The label gate: of everything, by arm, or by arm and task."""


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """One partition and task. `labels`: per supervised arm, sums of its SA-calibrated label over covered rows, each
    taken before the adapter saw the row; None without a covered row. `clipped_rows`: per supervised arm, covered rows
    with α·q > 1."""

    arms: dict[str, Measured]
    labels: dict[str, BucketSums | None]
    covered: int
    clipped_rows: dict[str, int]


@dataclass(frozen=True, slots=True)
class VerticalOutcome:
    """One partition: `tasks` in the model's order. `seconds`: total, read and one entry per arm. What is asked without
    a task is the primary task's."""

    tasks: dict[str, TaskOutcome]
    rows: int
    batches: int
    seconds: dict[str, float]

    @property
    def primary(self) -> TaskOutcome:
        """The primary task's."""
        return next(iter(self.tasks.values()))

    @property
    def arms(self) -> dict[str, Measured]:
        """Per arm, what its serving head's predictions measured."""
        return self.primary.arms

    @property
    def labels(self) -> dict[str, BucketSums | None]:
        """Per supervised arm, its calibrated label's sums."""
        return self.primary.labels

    @property
    def covered(self) -> int:
        """Rows with a teacher logit."""
        return self.primary.covered

    @property
    def label(self) -> BucketSums | None:
        """The label sums of the arm named treatment; None without one."""
        return self.labels.get(TREATMENT)

    @property
    def clipped(self) -> int:
        """The clipped rows of the arm named treatment."""
        return self.primary.clipped_rows.get(TREATMENT, 0)


class VerticalTrainer:
    """Holds the arms of one course. `arms`: `control` and `treatment` by name, or any `Arm`."""

    def __init__(
        self,
        spec: VerticalSpec,
        schema: StreamSchema,
        arms: Sequence[str | Arm],
        backend: Backend = "fused",
        starter: bytes | None = None,
    ) -> None:
        """`starter`: the file that arms with `starter=True` begin from. Raises CheckpointError if it does not fit."""
        self.spec = spec
        self.layout = vertical_layout(spec.model, schema)
        self.arms = {arm.name: arm for arm in resolve(arms, spec)}
        self.students = {
            name: Student(arm.spec(spec), schema, arm.supervision, backend) for name, arm in self.arms.items()
        }
        for name, arm in self.arms.items():
            if arm.starter:
                apply_starter(self.students[name], _given(starter, name), spec, schema)

    def train(
        self, source: Source, rows: int, teacher_logits: Labels, gate_open: Gate, tick: Tick | None = None
    ) -> VerticalOutcome:
        """Predicts and trains once over. `tick` gets the primary task's ledger.
        Raises DataError if the file holds other than `rows` rows."""
        started = time.perf_counter()
        tasks = self.spec.model.tasks
        logits = {task: _of_task(teacher_logits, task, tasks) for task in tasks}
        covered = {task: _coverage(found, rows) for task, found in logits.items()}
        teachers = {
            name: [
                _Teachers(arm, logits[task], covered[task], _is_open(gate_open, name, task), self.spec.seed)
                for task in tasks
            ]
            for name, arm in self.arms.items()
            if arm.supervision is not None
        }
        ledgers = [Ledger(rows, tuple(self.students)) for _ in tasks]
        seconds = dict.fromkeys(("read", "control", "treatment", *self.arms), 0.0)
        batches = 0
        for start, stop, inputs, ys in self._batches(source, ledgers, seconds):
            for name, student in self.students.items():
                before = time.perf_counter()
                taught = teachers.get(name)
                given = (
                    [None] * len(tasks)
                    if taught is None
                    else [t.batch(start, stop, y) for t, y in zip(taught, ys, strict=True)]
                )
                logits_tb, adapted_tb = student.step_tasks(inputs, ys, tuple(given))
                for ledger, s_b in zip(ledgers, logits_tb, strict=True):
                    ledger.logits[name][start:stop] = s_b.numpy()
                for found, a_b in zip(taught or (), adapted_tb, strict=False):
                    if a_b is not None:
                        found.adapted[start:stop] = a_b.numpy()
                seconds[name] += time.perf_counter() - before
            batches += 1
            for ledger in ledgers:
                ledger.done = stop
            if tick is not None:
                tick(ledgers[0])
        if ledgers[0].done != rows:
            raise _wrong_rows(rows, ledgers[0].done)
        outcomes = {
            task: TaskOutcome(
                {name: ledger.measure(name, covered[task]) for name in self.students},
                {name: found[place].sums(ledger) for name, found in teachers.items()},
                int(covered[task].sum()),
                {name: found[place].clipped for name, found in teachers.items()},
            )
            for place, (task, ledger) in enumerate(zip(tasks, ledgers, strict=True))
        }
        seconds["total"] = time.perf_counter() - started
        return VerticalOutcome(outcomes, rows, batches, seconds)

    def _batches(
        self, source: Source, ledgers: list[Ledger], seconds: dict[str, float]
    ) -> Iterator[tuple[int, int, Inputs, tuple[torch.Tensor, ...]]]:
        size, expected = self.spec.optimizer.batch_size, ledgers[0].rows
        mark = time.perf_counter()
        for block in blocks(source, self.layout, size):
            rows = Rows.of(block)
            first, last = block.first_row, block.first_row + block.rows
            if last > expected:
                raise _wrong_rows(expected, last)
            for task, ledger in enumerate(ledgers):
                ledger.labels[first:last] = rows.labels[:, task]
                ledger.buckets[first:last] = rows.buckets
            cutter, labels = Cutter(rows), [torch.tensor(column) for column in rows.labels.T]
            for start, stop in spans(block.rows, size):
                inputs = cutter.inputs(start, stop)
                seconds["read"] += time.perf_counter() - mark
                yield first + start, first + stop, inputs, tuple(y[start:stop] for y in labels)
                mark = time.perf_counter()


class _Teachers:
    """What teaches one arm over a partition, cut like its batches: 8 bytes a row. `adapted` [rows]: SA's logits, NaN =
    none yet."""

    def __init__(
        self,
        arm: Arm,
        logits: npt.NDArray[np.float32] | None,
        covered: npt.NDArray[np.bool_],
        gate_open: bool,
        seed: int,
    ) -> None:
        assert arm.supervision is not None  # noqa: S101  for the type checker: a control has no teachers
        self._arm, self._alpha = arm, arm.supervision.alpha
        self._open = gate_open or not arm.gated
        taught = np.zeros(len(covered), np.float32) if logits is None else arm.labels(logits, seed)
        self._covered = covered
        self._logits = torch.tensor(np.where(covered, taught, 0.0).astype(np.float32))
        self.adapted = np.full(len(covered), np.nan, np.float32)
        self.clipped = 0

    def batch(self, start: int, stop: int, y_b: torch.Tensor) -> Teacher | None:
        """None where no row of the batch has a logit."""
        mine = self._covered[start:stop]
        covered = int(mine.sum())
        if not covered:
            return None
        logits_b, mask_b = self._logits[start:stop], torch.from_numpy(mine.astype(np.float32))
        if self._arm.teacher == "true_label":
            logits_b = self._arm.own(y_b) * mask_b
        if self._alpha > 1.0:
            self.clipped += clipped_rows(logits_b, self._alpha, mask_b)
        return Teacher(logits_b, mask_b, covered == stop - start, self._open)

    def sums(self, ledger: Ledger) -> BucketSums | None:
        """Sums of the SA-calibrated label; None without a covered row."""
        rows = self._covered & np.isfinite(self.adapted)
        return bucket_sums(ledger.buckets, ledger.labels, self.adapted, rows) if rows.any() else None


def _coverage(logits: npt.NDArray[np.float32] | None, rows: int) -> npt.NDArray[np.bool_]:
    if logits is not None and len(logits) != rows:
        raise DataError(
            "labels.rows",
            f"The label set has {len(logits)} rows, its partition {rows}.",
            "Score the partition again with the same snapshot.",
        )
    return np.zeros(rows, np.bool_) if logits is None else np.isfinite(logits)


def _given(starter: bytes | None, arm: str) -> bytes:
    if starter is None:
        raise SpecError(
            "arms.no_starter", f"Arm {arm!r} begins from a starter, but none was given.", "Pass the starter's file."
        )
    return starter


def _is_open(gate: Gate, arm: str, task: str) -> bool:
    found = gate if isinstance(gate, bool) else gate[arm]
    return found if isinstance(found, bool) else found[task]


def _of_task(labels: Labels, task: str, tasks: tuple[str, ...]) -> npt.NDArray[np.float32] | None:
    if not isinstance(labels, Mapping):
        return labels if task == tasks[0] else None
    unknown = sorted(set(labels) - set(tasks))
    if unknown:
        raise DataError(
            "labels.unknown_task",
            f"Labels came for {unknown[0]!r}; the model has {', '.join(tasks)}.",
            "Name its tasks.",
        )
    return labels.get(task)


def _wrong_rows(expected: int, found: int) -> DataError:
    return DataError(
        "data.rows",
        f"The partition was sealed with {expected} rows; at row {found} its file says otherwise.",
        "Upload it again: sealed files never change.",
    )
