"""Co-distillation, the baseline that logged labels replace: FM and VM step together through the same rows.

Each batch: the FM predicts it (one forward pass, whose logits teach the student at once), the student steps, then the
FM steps on the ground truth. The label is as fresh as can be, and every student pays an FM of its own: forward and
update on every row it trains on. With external distillation one FM is trained, and its labels are logged once for all.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch

from exfm_core.cost import foundation_flops, serving_flops
from exfm_core.data.encode import blocks, foundation_layout, vertical_layout
from exfm_core.distill.student import Student, Teacher
from exfm_core.errors import SpecError
from exfm_core.metrics.sums import BucketSums, Lift, lift
from exfm_core.models.embeddings import Backend
from exfm_core.spec import FoundationSpec, StreamSchema, VerticalSpec
from exfm_core.train.foundation import FoundationTrainer, foundation_loss
from exfm_core.train.foundation_rows import with_tenant
from exfm_core.train.rows import Cutter, Rows, spans
from exfm_core.train.shared import Openable

TRAINING_FACTOR = 3
"""FLOPs of forward, backward and update over those of the forward pass alone: the usual count for dense layers."""


@dataclass(slots=True)
class JointCourse:
    """What a joint loop did. `student`, `control`: progressive sums of the VM with and without the FM. `teacher`: the
    FM's own. `labels`: its logits per partition, as a log would hold them. `seconds`: fm_forward, fm_update, student,
    control, read."""

    student: BucketSums = field(default_factory=BucketSums.zeros)
    control: BucketSums = field(default_factory=BucketSums.zeros)
    teacher: BucketSums = field(default_factory=BucketSums.zeros)
    labels: list[npt.NDArray[np.float32]] = field(default_factory=list)
    seconds: dict[str, float] = field(
        default_factory=lambda: dict.fromkeys(("fm_forward", "fm_update", "student", "control", "read"), 0.0)
    )

    @property
    def rows(self) -> int:
        """Rows of all partitions."""
        return self.student.rows

    def lift(self) -> Lift:
        """NE gain of the student over the control, in %."""
        return lift(self.control, self.student)


def codistill(
    foundation: FoundationSpec,
    spec: VerticalSpec,
    schema: StreamSchema,
    partitions: Sequence[Openable],
    *,
    slot: int = 1,
    backend: Backend = "fused",
    teacher: FoundationTrainer | None = None,
) -> JointCourse:
    """Trains FM and VM in one loop over the VM's stream, beside the VM's control. The label gate stands open.
    `teacher`: a trainer of `foundation` to go on with, which this course owns from now on; None: a cold one. Raises
    SpecError if the FM has no head for the VM's task."""
    kind = schema.task(spec.model.task).kind
    if kind not in foundation.model.task_kinds:
        raise SpecError("codistill.no_head", f"The foundation model has no head for {kind!r}.", "Give it one.")
    teacher = teacher or FoundationTrainer(foundation, backend)
    student, control = Student(spec, schema, spec.supervision, backend), Student(spec, schema, None, backend)
    course, place = JointCourse(), foundation.model.task_kinds.index(kind)
    for partition in partitions:
        course.labels.append(_partition(course, teacher, place, student, control, partition, spec, schema, slot))
    return course


def _partition(
    course: JointCourse,
    teacher: FoundationTrainer,
    place: int,
    student: Student,
    control: Student,
    partition: Openable,
    spec: VerticalSpec,
    schema: StreamSchema,
    slot: int,
) -> npt.NDArray[np.float32]:
    size = spec.optimizer.batch_size
    mine = blocks(partition.open(), vertical_layout(spec.model, schema), size)
    theirs = blocks(partition.open(), foundation_layout(teacher.spec.model, schema), size)
    every: dict[str, list[npt.NDArray[np.float32]]] = {"teacher": [], "student": [], "control": []}
    labels, buckets = [], []
    clock = _Clock(course.seconds)
    # Both layouts read the same file in whole batches, so their blocks hold the same rows.
    for vertical, union in zip(mine, theirs, strict=True):
        rows, shared = Rows.of(vertical), with_tenant(Rows.of(union, slot))
        cutter, joint = Cutter(rows), Cutter(shared)
        y, slots = torch.tensor(rows.labels[:, 0]), torch.from_numpy(shared.slots)
        known, truth = torch.tensor(np.isfinite(shared.labels)).float(), torch.tensor(np.nan_to_num(shared.labels))
        for start, stop in spans(len(rows), size):
            now = slice(start, stop)
            inputs = cutter.inputs(start, stop)
            seen = teacher.net.tables.admit(joint.inputs(start, stop))
            clock.lap("read")
            logits_bk = teacher.net(seen, slots[now], checked=True)
            t_b = logits_bk[:, place].detach().clone()
            clock.lap("fm_forward")
            s_b, _ = student.step(inputs, y[now], Teacher(t_b, torch.ones(stop - start), complete=True, open=True))
            clock.lap("student")
            c_b, _ = control.step(inputs, y[now])
            clock.lap("control")
            teacher.optimizer.zero_grad()
            torch.autograd.backward(foundation_loss(logits_bk, truth[now], known[now]))
            teacher.optimizer.step()
            clock.lap("fm_update")
            for name, z_b in (("teacher", t_b), ("student", s_b), ("control", c_b)):
                every[name].append(z_b.numpy())
        labels.append(rows.labels[:, 0])
        buckets.append(rows.buckets)
        clock.lap("read")
    y_n, k_n = np.concatenate(labels), np.concatenate(buckets)
    z = {name: np.concatenate(parts) for name, parts in every.items()}
    course.student += BucketSums.of(k_n, y_n, z["student"])
    course.control += BucketSums.of(k_n, y_n, z["control"])
    course.teacher += BucketSums.of(k_n, y_n, z["teacher"])
    return z["teacher"]


class _Clock:
    def __init__(self, seconds: dict[str, float]) -> None:
        self._seconds, self._mark = seconds, time.perf_counter()

    def lap(self, name: str) -> None:
        """Books the time since the last lap."""
        now = time.perf_counter()
        self._seconds[name] += now - self._mark
        self._mark = now


@dataclass(frozen=True, slots=True)
class TeacherCost:
    """FM work in GFLOPs for `students` students of `rows` rows each, all on one stream."""

    students: int
    rows: int
    joint: float
    external: float

    @property
    def per_student(self) -> tuple[float, float]:
        """Joint and external GFLOPs per student."""
        return self.joint / self.students, self.external / self.students


def teacher_cost(foundation: FoundationSpec, rows: int, students: int) -> TeacherCost:
    """Joint: every student's loop runs an FM forward and update on each row. External: one FM trains on each row once
    (forward and update), and scores each row once for everybody."""
    forward = foundation_flops(foundation) * rows / 1e9
    return TeacherCost(students, rows, students * TRAINING_FACTOR * forward, (TRAINING_FACTOR + 1) * forward)


def student_share(foundation: FoundationSpec, spec: VerticalSpec, schema: StreamSchema) -> float:
    """FLOPs of the FM's forward pass ÷ those of the served VM, per row: what a joint loop adds to each row."""
    return foundation_flops(foundation) / serving_flops(spec, schema)
