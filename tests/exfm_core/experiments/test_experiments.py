"""Every experiment runs on a tiny stream and says what it promises; figures of so few rows mean nothing."""

from collections.abc import Callable

import pytest

from exfm_core.experiments import ablation, channel, cost, harm, joint, stream, sweeps
from exfm_core.experiments.arms import VARIANTS
from exfm_core.experiments.cache import Cache
from exfm_core.experiments.figures import Figure
from exfm_core.experiments.lab import Lab
from exfm_core.experiments.report import Report


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(Cache(tmp_path_factory.mktemp("experiments")), seeds=(0,))


def column(report: Report, table: int, name: str) -> list[object]:
    found = report.tables[table]
    return [row[found.columns.index(name)] for row in found.rows]


def test_untrusted_teachers(lab: Lab) -> None:
    report = harm.harm(lab, "tiny")
    teachers = column(report, 0, "teacher")
    assert teachers[:2] == ["its own task", "the other task"] and "shuffled" in teachers
    shut = dict(zip(teachers, column(report, 0, "strong"), strict=True))["shuffled"]
    opened = dict(zip(teachers, column(report, 0, "strong, open"), strict=True))["shuffled"]
    assert isinstance(shut, Figure) and isinstance(opened, Figure) and shut.value != opened.value
    assert report.remarks[0].startswith("Significantly harmed behind the gate")


def test_the_matrix_of_variants(lab: Lab) -> None:
    report = ablation.ablation(lab, "tiny")
    assert set(VARIANTS) <= set(column(report, 0, "arm"))
    values = [figure.value for figure in column(report, 0, "pooled") if isinstance(figure, Figure)]
    assert len(set(values)) == len(values), "two arms trained alike"


def test_delays_share_their_control(lab: Lab) -> None:
    report = sweeps.delay(lab, "tiny")
    assert column(report, 0, "delay, periods") == ["1", "2", "4", "8"]
    assert len(set(column(report, 0, "NE control"))) == 1
    assert len(report.pictures[0].series) == 3


@pytest.mark.parametrize(
    ("run", "name", "rows"),
    [
        (cost.tenants, "tenants-tiny", 4),
        (joint.codistillation, "codistillation-tiny", 1),
        (channel.channel, "channel-tiny", 7),
        (stream.stream_size, "stream-size-tiny", 6),
    ],
)
def test_others(lab: Lab, run: Callable[[Lab, str], Report], name: str, rows: int) -> None:
    report = run(lab, "tiny")
    assert report.name == name and len(report.tables[0].rows) == rows
    assert f"experiment {name} --seeds 1" in report.markdown()


def test_a_smaller_teacher_costs_its_rows_and_as_much_publishing() -> None:
    whole = {"rows": 1000, "seconds": {"train": 6.0, "score": 2.0, "publish": 1.0}}
    assert cost.teacher_seconds(whole, 1000) == pytest.approx(9.0)
    assert cost.teacher_seconds(whole, 250) == pytest.approx(3.0)
