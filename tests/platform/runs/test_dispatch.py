"""Admission: order, capacity, quota, money; what those who wait are told; and two dispatchers at once."""

import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from budgets.models import Budget
from budgets.services import set_budget, set_quota
from runs.claims import must_yield
from runs.dispatch import decayed_seconds, dispatch, free_slots, holders
from runs.models import Kind, Run, State, WorkerNode
from runs.services import submit
from runs.sweeping import resend
from tenancy.scope import platform_scope
from tests.kit.domain import make_attempt, make_model, make_partition, make_run
from tests.platform.runs.setting import join, make_setting, make_worker


def queued(setting):
    return submit(kind=Kind.VM_TRAIN, model=setting.model)


def test_without_workers_nothing_starts_and_it_says_so():
    run = queued(make_setting())
    WorkerNode.objects.create(name="gone", slots=4, seen_at=timezone.now() - timedelta(seconds=30))
    assert dispatch() == []
    run.refresh_from_db()
    assert (run.state, run.reason_code, run.waiting["position"]) == (State.QUEUED, "no_worker", 1)


def test_the_teacher_goes_first_then_scoring_then_students():
    make_worker(slots=1)
    setting = make_setting()
    student = queued(setting)
    scoring = submit(kind=Kind.DAS_SCORE, foundation_model=setting.teacher)
    teacher = submit(kind=Kind.FM_TRAIN, foundation_model=setting.teacher)
    assert dispatch() == [teacher]
    for run, position in ((scoring, 1), (student, 2)):
        run.refresh_from_db()
        assert (run.reason_code, run.waiting["position"]) == ("capacity", position)
    assert student.waiting["holders"] == ["training of the foundation model"]


def test_holders_never_name_another_tenant():
    setting = make_setting()
    other = join(setting.teacher)
    held = [make_run(s.tenant, s.model) for s in (setting, other)]
    said = holders(held, setting.tenant.id)
    assert said == [f"{setting.model.name} (yours)", "1 run of other tenants"]


def test_slots_are_those_of_live_workers_minus_held_runs():
    make_worker(slots=3, name="a")
    make_worker(slots=2, name="b")
    setting = make_setting()
    make_run(setting.tenant, setting.model, state=State.ADMITTED)
    assert free_slots(timezone.now()) == 4


def test_the_tenant_with_less_use_goes_first():
    make_worker(slots=1)
    heavy = make_setting()
    light = join(heavy.teacher)
    past = make_run(heavy.tenant, heavy.model, state=State.SUCCEEDED)
    attempt = make_attempt(past)
    now = timezone.now()
    type(attempt).objects.update(started_at=now - timedelta(minutes=30), finished_at=now)
    first, second = queued(heavy), queued(light)
    assert dispatch() == [second]
    first.refresh_from_db()
    assert first.state == State.QUEUED


def test_use_halves_with_every_hour():
    setting = make_setting()
    run = make_run(setting.tenant, setting.model, state=State.SUCCEEDED)
    now = timezone.now()
    attempt = make_attempt(run)
    type(attempt).objects.update(started_at=now - timedelta(hours=1, seconds=100), finished_at=now - timedelta(hours=1))
    assert decayed_seconds(now)[setting.tenant.id] == pytest.approx(50)


def test_one_tenant_does_not_take_all_slots_of_a_pass():
    make_worker(slots=2)
    greedy = make_setting()
    runs = [queued(greedy)]
    runs += [submit(kind=Kind.VM_TRAIN, model=make_model(greedy.stream)) for _ in range(2)]
    modest = join(greedy.teacher)
    last = queued(modest)
    assert set(dispatch()) == {runs[0], last}


def limit(setting, runs: int):
    set_quota(tenant=setting.tenant, quota={"concurrent_runs": runs}, reason="test")


def said(run):
    run.refresh_from_db()
    return run.reason_code, run.reason_message, run.waiting["holders"]


def test_the_quota_of_concurrent_runs_holds():
    make_worker()
    setting = make_setting()
    limit(setting, 0)
    run = queued(setting)
    assert dispatch() == []
    sentence = "The tenant's quota allows no run; it starts once an administrator raises the quota."
    assert said(run) == ("quota_concurrent_runs", sentence, [])


@pytest.mark.parametrize("slots", [2, 8])
def test_a_run_beyond_its_quota_says_so_also_while_all_slots_are_taken(slots: int):
    make_worker(slots=slots)
    setting = make_setting()
    limit(setting, 2)
    runs = [queued(setting), *(submit(kind=Kind.VM_TRAIN, model=make_model(setting.stream)) for _ in range(2))]
    first, second, third = runs
    assert dispatch() == [first, second]
    names = sorted(run.model.name for run in (first, second))
    sentence = (
        "The tenant's quota is 2 concurrent runs and 2 are held; it starts when one of them ends, or once an "
        "administrator raises the quota."
    )
    assert said(third) == ("quota_concurrent_runs", sentence, names)
    assert third.waiting["position"] == 1
    Run.objects.filter(id=first.id).update(state=State.SUCCEEDED)
    assert dispatch() == [third]


def test_who_waits_within_its_quota_waits_for_a_slot():
    make_worker(slots=1)
    setting = make_setting()
    other = join(setting.teacher)
    limit(other, 1)
    busy, waiting = queued(setting), queued(other)
    assert dispatch() == [busy]
    assert said(waiting)[::2] == ("capacity", ["1 run of other tenants"])


def test_nobody_else_makes_room_for_a_run_beyond_its_quota():
    """Its own tenant's idle run does: it holds the place that the other waits for."""
    make_worker(slots=2)
    setting = make_setting()
    other = join(setting.teacher)
    limit(setting, 1)
    own, others = queued(setting), queued(other)
    assert set(dispatch()) == {own, others}
    waiting = submit(kind=Kind.VM_TRAIN, model=make_model(setting.stream))
    assert dispatch() == []
    assert said(waiting)[0] == "quota_concurrent_runs"
    assert not must_yield(run_id=others.id, priority=0, idle_seconds=60)
    assert must_yield(run_id=own.id, priority=0, idle_seconds=60)
    assert not must_yield(run_id=own.id, priority=0, idle_seconds=0)


def test_a_lowered_quota_says_how_many_must_end():
    make_worker()
    setting = make_setting()
    for _ in range(3):
        make_run(setting.tenant, make_model(setting.stream))
    limit(setting, 1)
    run = queued(setting)
    assert dispatch() == []
    assert "is 1 concurrent run and 3 are held; it starts when 3 of them end, or once" in said(run)[1]


def test_of_many_holders_some_are_named_and_the_rest_counted():
    make_worker(slots=1)
    setting = make_setting()
    for _ in range(10):
        make_run(setting.tenant, make_model(setting.stream))
    limit(setting, 10)
    run = queued(setting)
    dispatch()
    names = said(run)[2]
    assert (len(names), names[-1]) == (9, "2 more")


def test_a_raised_quota_has_those_who_wait_looked_at_again(django_capture_on_commit_callbacks, monkeypatch):
    make_worker()
    setting = make_setting()
    limit(setting, 0)
    run = queued(setting)
    assert dispatch() == []
    sent: list[str] = []
    monkeypatch.setattr("runs.nudges.nudge", lambda name, *_, **__: sent.append(name))
    with django_capture_on_commit_callbacks(execute=True):
        limit(setting, 1)
    assert sent == ["runs.dispatch"]
    assert dispatch() == [run]


def test_quotas_of_all_who_wait_are_one_statement():
    teacher = make_setting()
    for setting in (teacher, *(join(teacher.teacher) for _ in range(3))):
        queued(setting)
    with CaptureQueriesContext(connection) as asked:
        dispatch()
    assert sum("budgets_quota" in query["sql"] for query in asked) == 1


def test_money_for_the_first_unit_is_reserved_or_the_run_waits():
    make_worker()
    setting = make_setting(bound=False)
    make_partition(setting.stream, 0)
    set_budget(tenant=setting.tenant, amount=Decimal("0.000001"), reason="test")
    run = queued(setting)
    assert dispatch() == []
    run.refresh_from_db()
    assert run.reason_code == "budget_exhausted"
    set_budget(tenant=setting.tenant, amount=Decimal(10), reason="test")
    assert dispatch() == [run]
    budget = Budget.objects.get(tenant=setting.tenant)
    assert 0 < budget.reserved <= budget.amount


def test_an_admission_that_nobody_takes_goes_back_with_its_money():
    make_worker()
    setting = make_setting()
    run = queued(setting)
    dispatch()
    Run.objects.update(nudged_at=timezone.now() - timedelta(seconds=10))
    before = timezone.now()
    resend()
    run.refresh_from_db()
    assert run.state == State.ADMITTED
    assert run.nudged_at >= before
    resend(timezone.now() + timedelta(seconds=70))
    run.refresh_from_db()
    assert run.state == State.QUEUED
    assert Budget.objects.get(tenant=setting.tenant).reserved == 0


@pytest.mark.django_db(transaction=True)
def test_two_dispatchers_never_admit_more_than_there_is():
    make_worker(slots=3)
    first = make_setting()
    settings = [first, *(join(first.teacher) for _ in range(5))]
    for setting in settings:
        queued(setting)
    admitted: list[Run] = []
    barrier = threading.Barrier(4)

    def work() -> None:
        try:
            with platform_scope("test"):
                barrier.wait(10)
                admitted.extend(dispatch())
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(admitted) == len({run.id for run in admitted}) == 3
    assert Run.objects.filter(state=State.ADMITTED).count() == 3
