"""The attempt supervisor with a real child: stop, lost lease, shutdown, hard cap, faults."""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pyarrow.parquet as pq
import pytest

from runs import hardcaps
from runs.dispatch import dispatch
from runs.models import Attempt, Consumption, Kind, MetricChunk, Run, State, WorkClaim
from runs.services import request_stop, submit
from tenancy.scope import platform_scope
from tests.chaos.processes import alive
from tests.kit.patience import PATIENCE
from tests.workers.waiting import wait_for
from tests.workers.world import World, long_recipe, make_world, report_capacity
from workers.bulletin import bulletin
from workers.supervisor import supervise

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture
def world(storage: str, listening: None) -> Iterator[World]:
    """One tenant with one sealed partition that takes a child a second or more."""
    with platform_scope("test"):
        made = make_world(storage, recipe=long_recipe(periods=2), tenants=1)
        made.seal([1])
        yield made


def admitted(world: World) -> Run:
    report_capacity()
    run = submit(kind=Kind.VM_TRAIN, model=next(iter(world.models.values())))
    Run.objects.update(idle_seconds=0)
    assert dispatch() == [run]
    return run


@contextmanager
def supervised(run: Run) -> Iterator[Callable[[], Attempt]]:
    """Supervise in a thread; yields a function that returns the attempt once its partition is half read."""

    def in_the_middle() -> Attempt | None:
        run.refresh_from_db()
        rows, total = run.progress.get("rows") or 0, run.progress.get("rows_total") or 0
        return run.attempts.filter(pid__isnull=False).first() if 0 < rows < total else None

    thread = threading.Thread(target=supervise, args=(run.id,), kwargs={"worker": "test"})
    thread.start()
    try:
        yield lambda: wait_for("mid-partition", in_the_middle)
    finally:
        thread.join(PATIENCE)
        assert not thread.is_alive()
        run.refresh_from_db()


def test_a_run_without_work_ends_at_once_and_starts_no_child(storage, listening):
    with platform_scope("test"):
        world = make_world(storage, recipe=long_recipe(periods=2), tenants=1)
        report_capacity()
        run = submit(kind=Kind.VM_TRAIN, model=next(iter(world.models.values())))
        assert dispatch() == [run]
        Run.objects.update(idle_seconds=3 * PATIENCE)
        supervise(run.id, worker="test")
        run.refresh_from_db()
        attempt = run.attempts.get()
    assert (run.state, attempt.state, attempt.pid) == (State.SUCCEEDED, "done", None)
    assert (attempt.finished_at - attempt.started_at).total_seconds() < run.idle_seconds


def test_a_stop_is_cooperative_and_commits_nothing(world):
    run = admitted(world)
    with supervised(run) as middle:
        attempt = middle()
        request_stop(run_id=run.id)
    attempt.refresh_from_db()
    assert (run.state, run.reason_code) == (State.CANCELLED, "user")
    assert (attempt.state, attempt.exit_code) == ("done", 0)
    assert not alive(attempt.pid)
    assert WorkClaim.objects.get().committed_at is None
    assert Consumption.objects.count() == 0


def test_a_lost_lease_ends_the_child_and_writes_nothing(world):
    run = admitted(world)
    with supervised(run) as middle:
        attempt = middle()
        Run.objects.filter(id=run.id).update(lease_token=uuid.uuid4())
    assert not alive(attempt.pid)
    assert run.state == State.RUNNING
    assert WorkClaim.objects.get().committed_at is None
    assert Consumption.objects.count() == 0


def test_a_worker_that_leaves_sends_its_run_back_to_the_queue(world):
    run = admitted(world)
    try:
        with supervised(run) as middle:
            attempt = middle()
            bulletin.begin_shutdown()
    finally:
        bulletin.shutdown.clear()
    assert (run.state, run.reason_code, run.faults) == (State.QUEUED, "worker_shutdown", {})
    assert not alive(attempt.pid)


def test_a_unit_beyond_its_hard_cap_is_killed(world, monkeypatch):
    monkeypatch.setattr(hardcaps, "hard_cap_seconds", lambda *, rows, rate: 0.2)
    run = admitted(world)
    with supervised(run):
        pass
    attempt = Attempt.objects.get()
    assert (attempt.state, attempt.code, attempt.fault) == ("failed", "hard_cap", "capacity")
    assert (run.state, run.faults) == (State.QUEUED, {"capacity": 1})


def test_a_users_fault_fails_at_once_with_what_mends_it(world):
    run = admitted(world)
    path = next(world.root.glob("tenants/*/1.parquet"))
    pq.write_table(pq.read_table(path).drop_columns(["region"]), path)
    with supervised(run):
        pass
    attempt = Attempt.objects.get()
    assert attempt.state == "failed"
    assert attempt.message
    assert attempt.mend
    assert run.state == (State.FAILED if attempt.fault == "user" else State.QUEUED)
    assert Consumption.objects.count() == 0


def test_a_finished_run_leaves_its_record(world):
    run = admitted(world)
    with supervised(run):
        pass
    attempt = Attempt.objects.get()
    assert run.state == State.SUCCEEDED
    assert (attempt.state, attempt.exit_code) == ("done", 0)
    assert "ready: vm.train" in attempt.log_tail
    assert run.environment["threads"] == 1
    assert "torch" in run.environment["versions"]
    assert run.progress["done"] == run.progress["planned"] == 1
    assert run.progress["rows"] == run.progress["rows_total"] > 0
    names = set(MetricChunk.objects.values_list("name", flat=True))
    assert {"ne_control", "ne_treatment"} <= names


def test_a_late_nudge_finds_nothing_to_take(world):
    run = admitted(world)
    Run.objects.filter(id=run.id).update(state=State.SUCCEEDED)
    supervise(run.id, worker="test")
    supervise(uuid.uuid4(), worker="test")
    assert Attempt.objects.count() == 0


def test_a_stop_between_partitions_is_learnt_before_more_is_claimed(world):
    run = admitted(world)
    with supervised(run) as middle:
        middle()
        # Without the wake-up of `request_stop`: the supervisor finds out by itself.
        Run.objects.filter(id=run.id).update(stop_requested_at=run.created_at, stop_reason="user")
    assert run.state == State.CANCELLED
