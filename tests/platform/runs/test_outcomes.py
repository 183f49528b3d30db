"""How attempts end: whose fault, how many retries, who pays, and what the run says."""

from datetime import timedelta

import pytest
from django.utils import timezone

from budgets.models import Budget, UsageRecord
from runs.dispatch import dispatch
from runs.errors import StaleLease
from runs.leases import Lease, take
from runs.models import Attempt, Fault, Kind, Run, State
from runs.outcomes import RETRIES, End, Outcome, end_attempt
from tests.kit.domain import make_partition
from tests.platform.runs.setting import make_setting, start

ROUNDED = 0.01
"""Seconds by which a record may say less."""


def fail(lease: Lease, fault: Fault, held: float = 5.0) -> State:
    Attempt.objects.filter(id=lease.attempt_id).update(started_at=timezone.now() - timedelta(seconds=held))
    return end_attempt(lease=lease, outcome=Outcome(End.FAILED, "broken", "it broke", "mend it", fault))


def again(run: Run) -> Lease:
    Run.objects.filter(id=run.id).update(not_before=None)
    dispatch()
    lease = take(run_id=run.id, worker="test")
    assert lease is not None
    return lease


@pytest.mark.parametrize("fault", [Fault.USER, Fault.PLATFORM, Fault.CAPACITY])
def test_each_fault_has_its_own_retries(fault):
    setting = make_setting()
    run, lease = start(Kind.VM_TRAIN, setting.model)
    for _ in range(RETRIES[fault]):
        assert fail(lease, fault) == State.QUEUED
        lease = again(run)
    assert fail(lease, fault) == State.FAILED
    run.refresh_from_db()
    assert run.reason_code == "broken"
    assert "mend it" in run.reason_message
    assert run.finished_at is not None


def test_back_off_doubles():
    run, lease = start(Kind.VM_TRAIN, make_setting().model)
    delays = []
    for _ in range(3):
        before = timezone.now()
        fail(lease, Fault.PLATFORM)
        after = timezone.now()
        run.refresh_from_db()
        delays.append([run.not_before - moment for moment in (after, before)])
        assert dispatch(run.not_before - timedelta(milliseconds=1)) == []
        lease = again(run)
    for (least, most), seconds in zip(delays, (1, 2, 4), strict=True):
        assert least <= timedelta(seconds=seconds) <= most


@pytest.mark.parametrize(("fault", "payer"), [(Fault.USER, "tenant"), (Fault.PLATFORM, None), (Fault.CAPACITY, None)])
def test_lost_work_is_paid_by_whose_fault_it_was(fault, payer):
    setting = make_setting()
    make_partition(setting.stream, 0)
    _, lease = start(Kind.VM_TRAIN, setting.model)
    before = timezone.now()
    fail(lease, fault, held=10.0)
    took = (timezone.now() - before).total_seconds()
    usage = UsageRecord.objects.get()
    assert (usage.tenant_id is not None) is (payer is not None)
    assert usage.line == ("training" if payer else "lost")
    assert 10 - ROUNDED <= float(usage.device_seconds) <= 10 + took
    budget = Budget.objects.get(tenant=setting.tenant)
    assert budget.reserved == 0
    assert (budget.spent > 0) is (payer is not None)


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("user", State.CANCELLED),
        ("model_paused", State.CANCELLED),
        ("worker_shutdown", State.QUEUED),
        ("preempted", State.QUEUED),
        ("budget_exhausted", State.QUEUED),
    ],
)
def test_stops_cancel_or_queue_again_without_using_retries(code, state):
    run, lease = start(Kind.VM_TRAIN, make_setting().model)
    assert end_attempt(lease=lease, outcome=Outcome(End.STOPPED, code, "")) == state
    run.refresh_from_db()
    assert (run.faults, run.reason_code) == ({}, code)
    assert run.reason_message


def test_an_attempt_ends_once():
    _, lease = start(Kind.VM_TRAIN, make_setting().model)
    end_attempt(lease=lease, outcome=Outcome(End.FINISHED, "done"))
    with pytest.raises(StaleLease):
        fail(lease, Fault.PLATFORM)
    assert Attempt.objects.get().state == Attempt.State.DONE


def test_idle_time_of_a_finished_attempt_is_the_owners():
    setting = make_setting()
    make_partition(setting.stream, 0)
    _, lease = start(Kind.VM_TRAIN, setting.model)
    Attempt.objects.update(started_at=timezone.now() - timedelta(seconds=7))
    end_attempt(lease=lease, outcome=Outcome(End.FINISHED, "done"))
    usage = UsageRecord.objects.get()
    assert (usage.tenant, usage.line, usage.claim) == (setting.tenant, "training", None)
