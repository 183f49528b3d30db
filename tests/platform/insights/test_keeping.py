"""Figures that commits leave behind: the same as computed from the committed sums, whatever happened before."""

import dataclasses
import math
import uuid
from typing import Any

import numpy as np
import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from exfm_core import events
from exfm_core.metrics.histogram import LogitHistogram
from insights import keeping
from insights.keeping import catch_up
from insights.models import ModelFigures
from insights.selectors import figures as reading
from insights.selectors.comparisons import Comparison, comparisons
from insights.selectors.figures import NOTHING, Figures, figures
from insights.selectors.merging import Merged, merged
from registry import courses
from registry import services as registry
from registry.models import Checkpoint, Lineage, VerticalModel
from runs.commits import commit
from runs.errors import BrokenReport
from runs.leases import Lease
from runs.models import Kind, MetricSums
from runs.selectors import has_open_run
from tenancy.context import SYSTEM, acting
from tenancy.scope import platform_scope, tenant_scope
from tests.kit import domain
from tests.platform.runs.setting import Setting, finish, make_setting, next_claim, start, vm_done

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _platform():
    with platform_scope("test"), acting(SYSTEM):
        yield


@pytest.fixture(autouse=True)
def _fresh_process(monkeypatch):
    """Let the process remember nothing, as after a restart."""
    monkeypatch.setattr(reading, "_figures", reading.Memory(most=8))


@dataclasses.dataclass
class Course:
    """A model in training."""

    setting: Setting
    lease: Lease

    @property
    def model(self) -> VerticalModel:
        return self.setting.model

    @property
    def comparison(self) -> Comparison:
        return comparisons(model_ids=[self.model.id])[self.model.id]

    @property
    def row(self) -> ModelFigures | None:
        return ModelFigures.objects.filter(model=self.model).first()


def begin(**stream: Any) -> Course:
    """A model that a published snapshot may teach from the second hour on, its run under way."""
    setting = make_setting(**stream)
    domain.publish(setting.teacher, domain.hour(1))
    return Course(setting, start(Kind.VM_TRAIN, setting.model)[1])


def go_on(course: Course) -> None:
    course.lease = start(Kind.VM_TRAIN, course.model)[1]


def rest(course: Course) -> None:
    """End the run and pause the model, as its versions and restarts need it."""
    finish(course.lease)
    registry.pause(model_id=course.model.id)


def report(claim: Any, index: int) -> events.VmDone:
    """A child's report with losses of its own in every bucket."""
    done = vm_done(claim, clipped=index)
    random, covered = np.random.default_rng(index), 0.75 if done.covered else 0.0
    n, y = np.full(256, done.rows / 256), random.uniform(0.1, 0.3, 256)

    def sums(loss: float, share: float) -> events.Sums:
        noise = np.random.default_rng([index, int(loss * 1000)]).normal(1.0, 0.05, 256)
        return events.Sums(*(tuple((share * each).tolist()) for each in (n, y, n * loss * noise, y)))

    arms = {}
    for arm, loss in (("control", 0.31), ("treatment", 0.30)):
        if arm in done.arms:
            logits, labels = random.normal(-2.0, 1.0, 50), random.integers(0, 2, 50)
            arms[arm] = dataclasses.replace(
                done.arms[arm],
                all=sums(loss, 1.0),
                covered=sums(loss, covered),
                histogram=LogitHistogram.of(logits, labels).encode(),
            )
    return dataclasses.replace(done, arms=arms)


def seal(course: Course, index: int) -> None:
    """Add a partition; those from the second on carry labels."""
    partition = domain.make_partition(course.setting.stream, index)
    if index:
        course.setting.teacher.refresh_from_db()
        domain.make_label_set(partition, course.setting.teacher.published)


def learn(course: Course, index: int) -> None:
    """Commit the next partition through `runs.commits`."""
    claim = next_claim(course.lease)
    commit(lease=course.lease, claim=claim, done=report(claim, index))


def train(course: Course, *indices: int) -> None:
    """Seal partitions and commit each."""
    for index in indices:
        seal(course, index)
        learn(course, index)


def same(first: Any, second: Any) -> bool:
    """Equal to the last bits that the order of an addition may change."""
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[name], second[name]) for name in first)
    if isinstance(first, list):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, float):
        return math.isclose(first, second, rel_tol=1e-9, abs_tol=1e-12)
    return bool(first == second)


def check(course: Course) -> Figures:
    """Compare the row with what all committed sums give, and what pages read with the row."""
    row, now = course.row, course.comparison
    assert row is not None
    assert row.source == now.source
    computed = merged(comparisons=[now])[now.model_id]
    assert same(row.figures, Figures.of(computed).to_json())
    assert same(row.merged, computed.to_json())
    assert Merged.from_json(row.merged).to_json() == row.merged
    with CaptureQueriesContext(connection) as captured:
        read = figures(comparisons=[now])[now.model_id]
    assert len(captured) == 1
    assert read == Figures.from_json(row.figures)
    assert read.to_json() == row.figures
    return read


def test_each_commit_leaves_what_its_sums_give() -> None:
    course = begin()
    assert course.row is None
    for index in range(3):
        train(course, index)
        shown = check(course)
        assert len(shown.spark) == index + 1
    assert None not in (shown.lift.value, shown.lift.low, shown.auc.control, shown.auc.treatment)
    assert shown.lift.rows == 3000
    assert shown.coverage == pytest.approx(0.5)
    assert shown.teaching.clipped_share == pytest.approx(3 / 2000)
    assert shown.teaching.freshness_seconds == 3600


def test_a_model_without_a_teacher_has_one_arm() -> None:
    setting = make_setting(domain.vertical_spec("none"), bound=False)
    course = Course(setting, start(Kind.VM_TRAIN, setting.model)[1])
    for index in range(2):
        domain.make_partition(setting.stream, index)
        claim = next_claim(course.lease)
        done = report(claim, index)
        commit(
            lease=course.lease,
            claim=claim,
            done=dataclasses.replace(done, arms={"control": done.arms["control"]}),
        )
    shown = check(course)
    assert shown.ne.control is not None
    assert (shown.lift.value, shown.ne.treatment, shown.spark) == (None, None, [])


def test_a_commit_asks_the_same_however_long_the_history() -> None:
    course = begin()
    train(course, 0)

    def one_more(index: int) -> int:
        seal(course, index)
        claim = next_claim(course.lease)
        with CaptureQueriesContext(connection) as captured:
            commit(lease=course.lease, claim=claim, done=report(claim, index))
        return len(captured)

    assert one_more(1) == one_more(2) == one_more(3)
    check(course)


def test_after_a_restart_the_row_is_stale_until_the_new_lineages_commit() -> None:
    course = begin()
    train(course, 0, 1, 2)
    check(course)
    rest(course)
    back = Checkpoint.objects.get(lineage=domain.lineage(course.model, "treatment"), position=domain.hour(1))
    courses.restart(model_id=course.model.id, checkpoint_id=back.id, open_run=has_open_run)
    assert figures(comparisons=[course.comparison])[course.model.id] == NOTHING
    registry.resume(model_id=course.model.id)
    go_on(course)
    for index in (1, 2):
        learn(course, index)
        shown = check(course)
    assert (shown.lift.rows, len(shown.spark)) == (2000, 2)


def test_a_second_version_starts_with_figures_of_its_own() -> None:
    course = begin()
    train(course, 0, 1)
    before = check(course)
    rest(course)
    courses.add_version(
        model_id=course.model.id,
        spec=domain.vertical_spec(embedding_dim=4).to_json(),
        train_from=None,
        open_run=has_open_run,
    )
    assert figures(comparisons=[course.comparison])[course.model.id] == NOTHING
    registry.resume(model_id=course.model.id)
    go_on(course)
    learn(course, 5)
    assert check(course).lift.rows == 1000 < before.lift.rows


def test_a_commit_that_is_refused_leaves_the_row_as_it_was() -> None:
    course = begin()
    train(course, 0)
    before = course.row
    seal(course, 1)
    claim = next_claim(course.lease)
    with pytest.raises(BrokenReport):
        commit(lease=course.lease, claim=claim, done=dataclasses.replace(report(claim, 1), rows=1))
    assert (course.row.source, course.row.figures) == (before.source, before.figures)
    check(course)


def test_a_repeated_commit_adds_nothing() -> None:
    course = begin()
    train(course, 0)
    seal(course, 1)
    claim = next_claim(course.lease)
    for _ in range(2):
        commit(lease=course.lease, claim=claim, done=report(claim, 1))
    assert check(course).lift.rows == 2000


def test_a_missing_row_is_done_without_and_caught_up_with(as_role) -> None:
    course = begin()
    train(course, 0, 1)
    kept = check(course)
    ModelFigures.objects.all().delete()
    reading._figures = reading.Memory(most=8)
    with as_role("exfm_app"), tenant_scope(course.setting.tenant.id):
        now = comparisons()[course.model.id]
        assert same(figures(comparisons=[now])[course.model.id].to_json(), kept.to_json())
        assert not ModelFigures.objects.exists()
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            ModelFigures.objects.create(
                tenant_id=course.setting.tenant.id, model=course.model, source=now.source, figures={}, merged={}
            )
    train(course, 2)
    assert course.row is None
    assert catch_up() == 1
    assert check(course).lift.rows == 3000
    assert catch_up() == 0
    train(course, 3)
    assert check(course).lift.rows == 4000


def test_a_row_of_another_moment_is_neither_shown_nor_added_to() -> None:
    course = begin()
    train(course, 0, 1)
    stale = course.row
    stale.source = [*stale.source[:3], uuid.uuid4()]
    stale.figures["lift"]["value"] = 99.0
    stale.save()
    assert figures(comparisons=[course.comparison])[course.model.id].lift.value < 99.0
    train(course, 2)
    assert course.row.figures == stale.figures
    assert catch_up() == 1
    check(course)


def test_a_commit_between_leaves_its_model_to_the_next_round(monkeypatch) -> None:
    course = begin()
    train(course, 0)
    ModelFigures.objects.all().delete()
    plain = keeping.merged

    def interrupted(**asked: Any) -> Any:
        found = plain(**asked)
        if not asked.get("partition_id"):
            train(course, 1)
        return found

    monkeypatch.setattr(keeping, "merged", interrupted)
    assert catch_up() == 0
    assert course.row is None
    monkeypatch.setattr(keeping, "merged", plain)
    assert catch_up() == 1
    check(course)


def test_sums_that_cannot_be_used_hold_up_neither_the_commit_nor_other_models() -> None:
    broken, whole = begin(), begin()
    domain.make_partition(broken.setting.stream, 0)
    claim = next_claim(broken.lease)
    done = report(claim, 0)
    arms = {arm: dataclasses.replace(held, histogram="AAAA") for arm, held in done.arms.items()}
    commit(lease=broken.lease, claim=claim, done=dataclasses.replace(done, arms=arms))
    assert MetricSums.objects.filter(partition=claim.partition, scope="all").count() == 2
    train(whole, 0)
    ModelFigures.objects.all().delete()
    assert catch_up() == 1
    assert broken.row is None
    check(whole)


def test_an_abandoned_lineage_does_not_count() -> None:
    course = begin()
    train(course, 0)
    Lineage.objects.filter(id=course.comparison.control).update(state=Lineage.State.ABANDONED)
    assert figures(comparisons=[course.comparison])[course.model.id].ne.control is not None
    assert course.comparison.source != course.row.source


def test_one_tenant_does_not_see_another_s_rows(as_role) -> None:
    mine, other = begin(), begin()
    train(mine, 0)
    train(other, 0)
    with as_role("exfm_app"), tenant_scope(mine.setting.tenant.id):
        assert [row.model_id for row in ModelFigures._base_manager.all()] == [mine.model.id]
