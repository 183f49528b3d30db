"""The planner makes runs where there is work, once, and holds back where a person or a failure said so."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registry import courses
from registry.models import VerticalModel
from registry.services import pause, resume
from runs.dispatch import dispatch
from runs.errors import RunOpen
from runs.models import Fault, Kind, Run, State
from runs.periods import next_period
from runs.planner import plan
from runs.services import request_stop, retry, submit
from runs.units import Nothing, next_lessons
from tenancy.errors import Conflict
from tenancy.models import Tenant
from tenancy.services import set_tenant_status
from tests.kit.domain import hour, make_model, make_partition, make_run, make_stream, publish
from tests.platform.runs.setting import join, make_setting


def kinds() -> list[str]:
    return sorted(Run.objects.filter(state=State.QUEUED).values_list("kind", flat=True))


def test_nothing_to_do_makes_nothing():
    make_setting()
    assert plan() == []


def test_planning_twice_makes_one_run_per_model_and_kind():
    setting = make_setting()
    join(setting.teacher)
    make_partition(setting.stream, 0)
    first = plan()
    assert [run.kind for run in first] == [Kind.VM_TRAIN]
    assert plan() == []


def test_every_kind_is_planned_when_it_has_work():
    setting = make_setting(label_deadline_seconds=0)
    make_partition(setting.stream, 5)
    publish(setting.teacher, hour(1))
    plan()
    assert kinds() == [Kind.DAS_SCORE, Kind.FM_TRAIN, Kind.VM_TRAIN]
    assert dict(Run.objects.values_list("kind", "priority")) == {"fm.train": 20, "das.score": 10, "vm.train": 0}
    assert set(Run.objects.filter(tenant__isnull=True).values_list("kind", flat=True)) == {"fm.train", "das.score"}


def test_a_model_that_waits_for_labels_gets_no_run():
    setting = make_setting()
    late = join(setting.teacher)
    make_partition(late.stream, 0)
    make_partition(setting.stream, 1)
    plan()
    models = Run.objects.filter(kind=Kind.VM_TRAIN).values_list("model_id", flat=True)
    assert set(models) == {late.model.id}


def test_the_database_allows_one_open_run_per_model():
    setting = make_setting()
    submit(kind=Kind.VM_TRAIN, model=setting.model)
    with pytest.raises(RunOpen):
        submit(kind=Kind.VM_TRAIN, model=setting.model)


@pytest.mark.parametrize(
    ("fields", "held"),
    [
        ({"state": State.SUCCEEDED}, False),
        ({"state": State.CANCELLED, "stop_reason": "user"}, True),
        ({"state": State.CANCELLED, "stop_reason": "model_paused"}, False),
        ({"state": State.FAILED, "faults": {Fault.USER: 1}}, True),
    ],
)
def test_the_newest_run_may_hold_the_next_one(fields, held):
    setting = make_setting(bound=False)
    make_partition(setting.stream, 0)
    make_run(setting.tenant, setting.model, **fields)
    assert (plan() == []) is held


def test_a_platform_failure_holds_for_a_while():
    setting = make_setting(bound=False)
    make_partition(setting.stream, 0)
    now = timezone.now()
    make_run(setting.tenant, setting.model, state=State.FAILED, faults={Fault.PLATFORM: 4}, finished_at=now)
    assert plan(now + timedelta(minutes=9)) == []
    assert len(plan(now + timedelta(minutes=11))) == 1


def test_paused_models_are_left_alone_until_resumed():
    setting = make_setting(bound=False)
    make_partition(setting.stream, 0)
    pause(model_id=setting.model.id)
    assert plan() == []
    resume(model_id=setting.model.id)
    assert len(plan()) == 1


def test_a_suspended_tenant_trains_nothing_and_feeds_nobody():
    setting = make_setting()
    other = join(setting.teacher)
    first = make_partition(setting.stream, 0)
    make_partition(other.stream, 0)
    set_tenant_status(tenant=other.tenant, status=Tenant.Status.SUSPENDED, reason="it poisons the teacher")
    period = next_period(setting.teacher)
    assert [p.id for p in period.partitions] == [first.id]
    plan()
    assert not Run.objects.filter(tenant=other.tenant).exists()


def waiting_models(teacher, tenants, each=1):
    """Tenants whose models wait: for labels, for data, or because a person stopped them."""
    for _ in range(tenants):
        joined = join(teacher)
        make_partition(joined.stream, 3)
        for number in range(each):
            make_model(joined.stream, teacher)
            make_model(make_stream(joined.tenant), teacher)
            skipping = make_model(joined.stream, teacher)
            VerticalModel.objects.filter(id=skipping.id).update(train_from=hour(100 + number))
            stopped = make_model(joined.stream, teacher)
            courses.end_binding(model_id=stopped.id)
            make_run(joined.tenant, stopped, state=State.CANCELLED, stop_reason="user")


def test_statements_do_not_grow_with_the_models_that_wait():
    setting = make_setting()
    publish(setting.teacher, hour(1))
    waiting_models(setting.teacher, 1)
    plan()
    with CaptureQueriesContext(connection) as few:
        assert plan() == []
    waiting_models(setting.teacher, 3, each=4)
    assert plan() == []
    with CaptureQueriesContext(connection) as many:
        assert plan() == []
    assert VerticalModel.objects.count() > 50
    assert len(many) == len(few) <= 30


def test_many_models_are_decided_as_each_alone():
    setting = make_setting()
    publish(setting.teacher, hour(1))
    waiting_models(setting.teacher, 2)
    others = [make_setting(bound=False), join(setting.teacher, label_deadline_seconds=0)]
    for other in others:
        make_partition(other.stream, 2)
    models = list(VerticalModel.objects.select_related("stream"))
    now = timezone.now()
    together = next_lessons(models, now)
    for model in models:
        alone = next_lessons([model], now)[model.id]
        if isinstance(alone, Nothing):
            assert together[model.id] == alone
        else:
            assert (together[model.id].partition, together[model.id].labels) == (alone.partition, alone.labels)
    codes = {found.code if isinstance(found, Nothing) else found.labels.reason for found in together.values()}
    assert codes == {"labels_scoring", "no_partition", "unbound", "deadline"}


def test_retry_lifts_the_hold():
    setting = make_setting(bound=False)
    make_partition(setting.stream, 0)
    failed = make_run(setting.tenant, setting.model, state=State.FAILED, faults={Fault.USER: 1})
    assert plan() == []
    assert retry(run_id=failed.id).state == State.QUEUED
    with pytest.raises(Conflict):
        retry(run_id=Run.objects.get(state=State.QUEUED).id)


def test_a_stopped_waiting_run_is_cancelled_by_the_dispatcher():
    setting = make_setting(bound=False)
    run = submit(kind=Kind.VM_TRAIN, model=setting.model)
    request_stop(run_id=run.id)
    request_stop(run_id=run.id)
    dispatch()
    run.refresh_from_db()
    assert (run.state, run.reason_code) == (State.CANCELLED, "user")
    with pytest.raises(Conflict):
        request_stop(run_id=run.id)
