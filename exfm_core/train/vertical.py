"""The trainer of a vertical model: its arms, control and treatment or more, over one read of a partition.

Same seed, same initial served weights, same batches. A batch's logits come from the forward pass that its update
starts from, so every row is predicted by weights that have not seen it: progressive evaluation costs no extra pass.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

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
from exfm_core.train.measure import Ledger, Measured
from exfm_core.train.rows import Cutter, Rows, spans
from exfm_core.train.starters import apply_starter

Tick = Callable[[Ledger], None]
"""Called after each batch; may raise to stop between two batches."""


@dataclass(frozen=True, slots=True)
class VerticalOutcome:
    """One partition. `labels`: per supervised arm, sums of its SA-calibrated label over covered rows, each taken before
    the adapter saw the row; None without a covered row. `clipped_rows`: per supervised arm, covered rows with
    α·q > 1. `seconds`: total, read and one entry per arm."""

    arms: dict[str, Measured]
    labels: dict[str, BucketSums | None]
    rows: int
    covered: int
    clipped_rows: dict[str, int]
    batches: int
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def label(self) -> BucketSums | None:
        """The label sums of the arm named treatment; None without one."""
        return self.labels.get(TREATMENT)

    @property
    def clipped(self) -> int:
        """The clipped rows of the arm named treatment."""
        return self.clipped_rows.get(TREATMENT, 0)


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
        self,
        source: Source,
        rows: int,
        teacher_logits: npt.NDArray[np.float32] | None,
        gate_open: bool | Mapping[str, bool],
        tick: Tick | None = None,
    ) -> VerticalOutcome:
        """Predicts and trains once over. `teacher_logits` float32 [rows], NaN where a row has none, None where the
        partition has no label set. `gate_open`: the label gate, of all arms or by name.
        Raises DataError if the file holds other than `rows` rows."""
        started = time.perf_counter()
        covered = _coverage(teacher_logits, rows)
        teachers = {
            name: _Teachers(arm, teacher_logits, covered, _is_open(gate_open, name), self.spec.seed)
            for name, arm in self.arms.items()
            if arm.supervision is not None
        }
        ledger = Ledger(rows, tuple(self.students))
        seconds = dict.fromkeys(("read", "control", "treatment", *self.arms), 0.0)
        batches = 0
        for start, stop, inputs, y_b in self._batches(source, ledger, seconds):
            for name, student in self.students.items():
                before = time.perf_counter()
                teacher = teachers[name].batch(start, stop, y_b) if name in teachers else None
                s_b, a_b = student.step(inputs, y_b, teacher)
                ledger.logits[name][start:stop] = s_b.numpy()
                if a_b is not None:
                    teachers[name].adapted[start:stop] = a_b.numpy()
                seconds[name] += time.perf_counter() - before
            ledger.done = stop
            batches += 1
            if tick is not None:
                tick(ledger)
        if ledger.done != rows:
            raise _wrong_rows(rows, ledger.done)
        measured = {name: ledger.measure(name, covered) for name in self.students}
        labels = {name: found.sums(ledger) for name, found in teachers.items()}
        clipped = {name: found.clipped for name, found in teachers.items()}
        seconds["total"] = time.perf_counter() - started
        return VerticalOutcome(measured, labels, rows, int(covered.sum()), clipped, batches, seconds)

    def _batches(
        self, source: Source, ledger: Ledger, seconds: dict[str, float]
    ) -> Iterator[tuple[int, int, Inputs, torch.Tensor]]:
        size = self.spec.optimizer.batch_size
        mark = time.perf_counter()
        for block in blocks(source, self.layout, size):
            rows = Rows.of(block)
            first, last = block.first_row, block.first_row + block.rows
            if last > ledger.rows:
                raise _wrong_rows(ledger.rows, last)
            ledger.labels[first:last] = rows.labels[:, 0]
            ledger.buckets[first:last] = rows.buckets
            cutter, labels = Cutter(rows), torch.tensor(rows.labels[:, 0])
            for start, stop in spans(block.rows, size):
                inputs = cutter.inputs(start, stop)
                seconds["read"] += time.perf_counter() - mark
                yield first + start, first + stop, inputs, labels[start:stop]
                mark = time.perf_counter()


class _Teachers:
    """What teaches one arm over a partition, cut like its batches. `adapted` [rows]: SA's logits, NaN = none yet."""

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
        self._mask = torch.tensor(covered.astype(np.float32))
        self._seen = np.concatenate([[0], np.cumsum(covered)])
        self.adapted = np.full(len(covered), np.nan, np.float32)
        self.clipped = 0

    def batch(self, start: int, stop: int, y_b: torch.Tensor) -> Teacher | None:
        """None where no row of the batch has a logit."""
        covered = int(self._seen[stop] - self._seen[start])
        if not covered:
            return None
        logits_b, mask_b = self._logits[start:stop], self._mask[start:stop]
        if self._arm.teacher == "true_label":
            logits_b = self._arm.own(y_b) * mask_b
        if self._alpha > 1.0:
            self.clipped += clipped_rows(logits_b, self._alpha, mask_b)
        return Teacher(logits_b, mask_b, covered == stop - start, self._open)

    def sums(self, ledger: Ledger) -> BucketSums | None:
        """Sums of the SA-calibrated label; None without a covered row."""
        rows = self._covered & np.isfinite(self.adapted)
        return BucketSums.of(ledger.buckets[rows], ledger.labels[rows], self.adapted[rows]) if rows.any() else None


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


def _is_open(gate: bool | Mapping[str, bool], arm: str) -> bool:
    return gate if isinstance(gate, bool) else gate[arm]


def _wrong_rows(expected: int, found: int) -> DataError:
    return DataError(
        "data.rows",
        f"The partition was sealed with {expected} rows; at row {found} its file says otherwise.",
        "Upload it again: sealed files never change.",
    )
