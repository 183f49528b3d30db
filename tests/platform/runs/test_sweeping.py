"""The sweep's smaller duties: paused models, forgotten workers, and giving way between partitions."""

from datetime import timedelta

from django.utils import timezone

from registry.services import pause
from runs.claims import must_yield
from runs.models import Kind, MetricChunk, Run, State, WorkerNode
from runs.outlook import outlook
from runs.progress import CHUNK, MetricPoints
from runs.services import submit
from runs.sweeping import forget_workers, stop_paused
from tests.kit.domain import make_partition, make_run
from tests.platform.runs.setting import join, make_setting, make_worker, next_claim, start


def test_open_runs_of_paused_models_are_asked_to_stop():
    setting = make_setting()
    other = join(setting.teacher)
    runs = [make_run(s.tenant, s.model) for s in (setting, other)]
    pause(model_id=setting.model.id)
    stop_paused()
    stop_paused()
    reasons = {run.id: reason for run, reason in zip(runs, ("model_paused", ""), strict=True)}
    assert dict(Run.objects.values_list("id", "stop_reason")) == reasons


def test_workers_that_left_are_forgotten():
    make_worker(name="here")
    WorkerNode.objects.create(name="gone", slots=1, seen_at=timezone.now() - timedelta(hours=2))
    forget_workers()
    assert WorkerNode.objects.get().name == "here"


def test_who_gives_way_to_whom():
    setting = make_setting()
    student = make_run(setting.tenant, setting.model)
    waiting = submit(kind=Kind.FM_TRAIN, foundation_model=setting.teacher)
    asked = {"run_id": student.id, "idle_seconds": 0.0}
    assert not must_yield(priority=0, **asked)
    Run.objects.filter(id=waiting.id).update(reason_code="capacity")
    assert must_yield(priority=0, **asked)
    assert not must_yield(priority=20, **asked)
    assert must_yield(priority=20, run_id=student.id, idle_seconds=6.0)
    Run.objects.filter(id=waiting.id).update(state=State.CANCELLED)
    assert not must_yield(priority=0, **asked)


def test_the_outlook_counts_what_follows():
    setting = make_setting(bound=False)
    for index in range(3):
        make_partition(setting.stream, index)
    run, lease = start(Kind.VM_TRAIN, setting.model)
    rest = outlook(run, next_claim(lease))
    assert (rest.units, rest.rows) == (2, 2000)


def test_metric_points_are_kept_in_full_chunks_with_their_roll_ups():
    setting = make_setting()
    _, lease = start(Kind.VM_TRAIN, setting.model)
    points = MetricPoints(lease, setting.tenant.id)
    for step in range(CHUNK + 5):
        points.add("ne_control", step, float(step))
        if step == 10:
            points.flush()
    points.flush()
    points.flush()
    first, second = MetricChunk.objects.order_by("number")
    assert (len(first.steps), len(second.steps)) == (CHUNK, 5)
    assert (first.minimum, first.maximum, first.mean) == (0.0, CHUNK - 1.0, (CHUNK - 1) / 2)
