"""The trainer of a vertical model: control and treatment over one read of a partition.

Same seed, same initial served weights, same batches. A batch's logits come from the forward pass that its update
starts from, so every row is predicted by weights that have not seen it: progressive evaluation costs no extra pass.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from exfm_core.data.encode import blocks, vertical_layout
from exfm_core.data.partitions import Source
from exfm_core.distill.losses import clipped_rows
from exfm_core.distill.student import Student, Teacher
from exfm_core.errors import DataError
from exfm_core.metrics.sums import BucketSums
from exfm_core.models.embeddings import Backend
from exfm_core.models.inputs import Inputs
from exfm_core.spec import StreamSchema, VerticalSpec
from exfm_core.train.measure import Ledger, Measured
from exfm_core.train.rows import Cutter, Rows, spans

Tick = Callable[[Ledger], None]
"""Called after each batch; may raise to stop between two batches."""


@dataclass(frozen=True, slots=True)
class VerticalOutcome:
    """One partition. `label`: sums of the SA-calibrated label over covered rows, each taken before the adapter saw the
    row; None without a treatment arm or a covered row. `seconds`: total, read and one entry per arm."""

    arms: dict[str, Measured]
    label: BucketSums | None
    rows: int
    covered: int
    clipped: int
    batches: int
    seconds: dict[str, float]


class VerticalTrainer:
    """Holds the arms of one lineage pair. `arms` ⊆ {control, treatment}, in that order."""

    def __init__(
        self, spec: VerticalSpec, schema: StreamSchema, arms: tuple[str, ...], backend: Backend = "fused"
    ) -> None:
        self.spec = spec
        self.layout = vertical_layout(spec.model, schema)
        self.students = {
            arm: Student(spec, schema, spec.supervision if arm == "treatment" else None, backend) for arm in arms
        }

    def train(
        self,
        source: Source,
        rows: int,
        teacher_logits: npt.NDArray[np.float32] | None,
        gate_open: bool,
        tick: Tick | None = None,
    ) -> VerticalOutcome:
        """Predicts and trains once over. `teacher_logits` float32 [rows], NaN where a row has none, None where the
        partition has no label set. Raises DataError if the file holds other than `rows` rows."""
        started = time.perf_counter()
        teachers = _Teachers(teacher_logits, rows, gate_open)
        ledger = Ledger(rows, tuple(self.students))
        adapted = np.full(rows, np.nan, np.float32)
        seconds = dict.fromkeys(("read", "control", "treatment"), 0.0)
        batches = clipped = 0
        for start, stop, inputs, y_b in self._batches(source, ledger, seconds):
            teacher = teachers.batch(start, stop)
            for arm, student in self.students.items():
                before = time.perf_counter()
                s_b, a_b = student.step(inputs, y_b, teacher if arm == "treatment" else None)
                ledger.logits[arm][start:stop] = s_b.numpy()
                if a_b is not None:
                    adapted[start:stop] = a_b.numpy()
                seconds[arm] += time.perf_counter() - before
            if teacher is not None and self.spec.supervision.alpha > 1.0:
                clipped += clipped_rows(teacher.logits_b, self.spec.supervision.alpha, teacher.mask_b)
            ledger.done = stop
            batches += 1
            if tick is not None:
                tick(ledger)
        if ledger.done != rows:
            raise _wrong_rows(rows, ledger.done)
        measured = {arm: ledger.measure(arm, teachers.covered) for arm in self.students}
        label = self._label_sums(ledger, adapted, teachers.covered)
        seconds["total"] = time.perf_counter() - started
        return VerticalOutcome(measured, label, rows, int(teachers.covered.sum()), clipped, batches, seconds)

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

    @staticmethod
    def _label_sums(
        ledger: Ledger, adapted: npt.NDArray[np.float32], covered: npt.NDArray[np.bool_]
    ) -> BucketSums | None:
        rows = covered & np.isfinite(adapted)
        return BucketSums.of(ledger.buckets[rows], ledger.labels[rows], adapted[rows]) if rows.any() else None


class _Teachers:
    """A partition's teacher logits, cut like its batches."""

    def __init__(self, logits: npt.NDArray[np.float32] | None, rows: int, gate_open: bool) -> None:
        if logits is not None and len(logits) != rows:
            raise DataError(
                "labels.rows",
                f"The label set has {len(logits)} rows, its partition {rows}.",
                "Score the partition again with the same snapshot.",
            )
        self.covered = np.zeros(rows, np.bool_) if logits is None else np.isfinite(logits)
        self._open = gate_open
        self._logits = torch.tensor(np.where(self.covered, 0.0 if logits is None else logits, 0.0).astype(np.float32))
        self._mask = torch.tensor(self.covered.astype(np.float32))
        self._seen = np.concatenate([[0], np.cumsum(self.covered)])

    def batch(self, start: int, stop: int) -> Teacher | None:
        """None where no row of the batch has a logit."""
        covered = int(self._seen[stop] - self._seen[start])
        if not covered:
            return None
        return Teacher(self._logits[start:stop], self._mask[start:stop], covered == stop - start, self._open)


def _wrong_rows(expected: int, found: int) -> DataError:
    return DataError(
        "data.rows",
        f"The partition was sealed with {expected} rows; at row {found} its file says otherwise.",
        "Upload it again: sealed files never change.",
    )
