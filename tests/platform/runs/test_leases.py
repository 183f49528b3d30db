"""Leases: taken once, renewed by their holder, lost for good."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from runs import leases
from runs.dispatch import dispatch
from runs.errors import StaleLease
from runs.leases import Lease
from runs.models import Attempt, Kind, Run, State
from runs.services import request_stop, submit
from runs.sweeping import reap
from tests.platform.runs.setting import make_setting, make_worker, start


def lapse(run: Run) -> None:
    Run.objects.filter(id=run.id).update(lease_expires_at=timezone.now() - timedelta(hours=1))


def test_an_admitted_run_is_taken_once():
    run, lease = start(Kind.VM_TRAIN, make_setting().model)
    assert leases.take(run_id=run.id, worker="second") is None
    run.refresh_from_db()
    assert (run.state, run.lease_token, run.attempts.count()) == (State.STARTING, lease.token, 1)


def test_a_queued_run_cannot_be_taken():
    run = submit(kind=Kind.VM_TRAIN, model=make_setting().model)
    assert leases.take(run_id=run.id, worker="early") is None


def test_renewal_prolongs_and_tells_of_a_stop():
    run, lease = start(Kind.VM_TRAIN, make_setting().model)
    lapse(run)
    assert leases.renew(lease=lease).stop_reason is None
    run.refresh_from_db()
    assert run.lease_expires_at > timezone.now()
    request_stop(run_id=run.id)
    assert leases.renew(lease=lease).stop_reason == "user"


def test_a_foreign_token_renews_nothing():
    run, lease = start(Kind.VM_TRAIN, make_setting().model)
    with pytest.raises(StaleLease):
        leases.renew(lease=Lease(run.id, uuid.uuid4(), lease.attempt_id, 1))


def test_a_lapsed_lease_is_reaped_and_the_run_queued_again():
    run, lease = start(Kind.VM_TRAIN, make_setting().model)
    assert reap() == 0
    lapse(run)
    assert reap() == 1
    run.refresh_from_db()
    attempt = Attempt.objects.get(id=lease.attempt_id)
    assert (run.state, run.lease_token, attempt.state) == (State.QUEUED, None, Attempt.State.LOST)
    assert run.faults == {"platform": 1}
    assert run.not_before is not None
    with pytest.raises(StaleLease):
        leases.renew(lease=lease)
    with pytest.raises(StaleLease):
        leases.started(lease=lease, pid=1, environment={})


def test_the_next_attempt_has_the_next_number():
    run, lease = start(Kind.VM_TRAIN, make_setting().model)
    lapse(run)
    reap()
    Run.objects.filter(id=run.id).update(not_before=None)
    dispatch()
    second = leases.take(run_id=run.id, worker="other")
    assert second is not None
    assert (lease.number, second.number) == (1, 2)


def test_a_stop_that_met_a_dead_worker_still_cancels():
    run, _ = start(Kind.VM_TRAIN, make_setting().model)
    request_stop(run_id=run.id)
    lapse(run)
    reap()
    run.refresh_from_db()
    assert run.state == State.CANCELLED


def test_the_environment_of_the_first_attempt_is_the_runs():
    make_worker()
    run, lease = start(Kind.VM_TRAIN, make_setting().model)
    leases.started(lease=lease, pid=11, environment={"isa": "AVX2"})
    leases.started(lease=lease, pid=12, environment={"isa": "AVX512"})
    run.refresh_from_db()
    assert (run.state, run.environment) == (State.RUNNING, {"isa": "AVX2"})
