"""Co-distillation against logged labels: the same lesson bit by bit, at a cost that grows with the students."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from exfm_core.cost import foundation_flops
from exfm_core.errors import SpecError
from exfm_core.spec import Supervision
from exfm_core.train.codistill import codistill, student_share, teacher_cost
from exfm_core.train.local import LocalPartition, study
from tests.exfm_core.train.factories import HOUR, ORIGIN, foundation, partition, schema, vertical

SPEC = vertical(Supervision("strong", aux_width=16))


def parts(root: Path, count: int = 1500, periods: int = 3) -> list[LocalPartition]:
    found = []
    for t in range(periods):
        written, start = partition(root, count, t, seed=8), ORIGIN + t * HOUR
        found.append(LocalPartition(root / written.file.uri, count, start, start + HOUR))
    return found


def test_the_student_learns_what_it_would_from_a_log_of_the_same_labels(tmp_path: Path) -> None:
    """No gradient passes between the two: a logged logit teaches exactly what the joint loop's does."""
    stream = parts(tmp_path)
    joint = codistill(foundation(), SPEC, schema(), stream)
    logged = study(SPEC, schema(), stream, joint.labels, gated=False)
    assert np.array_equal(joint.student.loss, logged.sums("treatment").loss)
    assert np.array_equal(joint.control.loss, logged.sums("control").loss)
    assert joint.lift() == logged.lift()
    assert joint.rows == 4500


def test_the_teacher_predicts_rows_it_has_not_seen_and_learns(tmp_path: Path) -> None:
    stream = parts(tmp_path, 4000)
    found = codistill(foundation(), SPEC, schema(), stream)
    first = codistill(foundation(), SPEC, schema(), stream[:1])
    assert np.array_equal(first.labels[0], found.labels[0])
    assert first.teacher.loss.sum() / first.rows > found.teacher.loss.sum() / found.rows
    assert found.seconds["fm_forward"] > 0
    assert found.seconds["fm_update"] > 0


def test_what_the_teacher_costs() -> None:
    per_row = foundation_flops(foundation()) / 1e9
    one, ten = teacher_cost(foundation(), 1000, 1), teacher_cost(foundation(), 1000, 10)
    assert one.joint == pytest.approx(3 * 1000 * per_row)
    assert one.external == ten.external == pytest.approx(4 * 1000 * per_row)
    assert ten.joint == pytest.approx(10 * one.joint)
    assert ten.per_student[1] == pytest.approx(one.per_student[1] / 10)
    assert student_share(foundation(), SPEC, schema()) > 0


def test_a_teacher_without_the_head_is_refused(tmp_path: Path) -> None:
    teacher = foundation()
    blind = replace(teacher, model=replace(teacher.model, task_kinds=("conversion",)))
    with pytest.raises(SpecError, match="no head"):
        codistill(blind, SPEC, schema(), parts(tmp_path, 100, 1))
