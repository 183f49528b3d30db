"""What is decided before a row is read: order, labels, deadlines, no leak; and that it is decided once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.models import Partition
from registry.models import LabelSet
from registry.services import pause
from runs import claims, supervision
from runs.commits import commit
from runs.errors import StaleLease
from runs.models import Kind, ManifestEntry, Run, State, WorkClaim
from runs.outcomes import End, Outcome, end_attempt
from runs.planner import plan
from tests.kit.domain import hour, make_label_set, make_partition, publish, vertical_spec
from tests.platform.runs.setting import (
    das_done,
    do_period,
    do_scoring,
    join,
    make_setting,
    next_claim,
    start,
    take,
    vm_done,
)


def train(setting):
    return start(Kind.VM_TRAIN, setting.model)[1]


def idle(lease, now=None):
    answer = claims.next_work(lease=lease, now=now)
    assert isinstance(answer, claims.Idle), answer
    return answer.code


def test_partitions_come_in_time_order():
    setting = make_setting(bound=False)
    later, first = make_partition(setting.stream, 1), make_partition(setting.stream, 0)
    lease = train(setting)
    claim = next_claim(lease)
    assert claim.partition == first
    commit(lease=lease, claim=claim, done=vm_done(claim))
    assert next_claim(lease).partition == later


def test_an_unvalidated_partition_is_not_overtaken():
    setting = make_setting(bound=False)
    make_partition(setting.stream, 0, state="uploaded", sealed_at=None, rows=None)
    make_partition(setting.stream, 1)
    lease = train(setting)
    assert idle(lease) == "no_partition"
    Partition.objects.filter(state="uploaded").update(state="rejected")
    assert next_claim(lease).partition.start == hour(1)


def test_training_starts_where_the_model_says():
    setting = make_setting(bound=False)
    for index in range(3):
        make_partition(setting.stream, index)
    type(setting.model).objects.update(train_from=hour(2))
    assert next_claim(train(setting)).partition.start == hour(2)


def test_without_a_teacher_nothing_is_waited_for():
    setting = make_setting(bound=False)
    make_partition(setting.stream, 0)
    claim = next_claim(train(setting))
    assert (claim.label_set, claim.label_reason, claim.gate) == (None, "unbound", "shut")


def test_before_any_snapshot_can_exist_training_goes_on_without_labels():
    setting = make_setting()
    make_partition(setting.stream, 0)
    assert next_claim(train(setting)).label_reason == "no_snapshot"


def test_a_snapshot_that_may_still_come_is_waited_for():
    setting = make_setting()
    first = join(setting.teacher)
    make_partition(first.stream, 0)
    make_partition(setting.stream, 1)
    lease = train(setting)
    assert idle(lease) == "labels_foundation"
    do_period(setting.teacher)
    assert idle(lease) == "labels_scoring"
    scored = do_scoring(setting.teacher)
    claim = next_claim(lease)
    assert claim.label_set.snapshot_id == scored.snapshot_id
    assert claim.label_set.watermark <= claim.partition.start


def test_a_snapshot_published_while_the_choice_is_made_is_not_missed(monkeypatch):
    setting = make_setting()
    first = join(setting.teacher)
    make_partition(first.stream, 0)
    make_partition(setting.stream, 1)
    lease = train(setting)
    taught = []

    def then_publish(read):
        def first_read(*args, **kwargs):
            answer = read(*args, **kwargs)
            if not taught:
                taught.append(do_period(setting.teacher))
            return answer

        return first_read

    for name in ("frontier", "oldest_published"):
        monkeypatch.setattr(supervision, name, then_publish(getattr(supervision, name)))
    assert idle(lease) == "labels_scoring"
    assert len(taught) == 1


def test_a_rejected_candidate_releases_the_wait():
    setting = make_setting()
    first = join(setting.teacher)
    make_partition(first.stream, 0)
    make_partition(setting.stream, 1)
    lease = train(setting)
    assert idle(lease) == "labels_foundation"
    do_period(setting.teacher, "reject")
    assert next_claim(lease).label_reason == "no_snapshot"


def test_late_labels_never_stop_training():
    setting = make_setting(label_deadline_seconds=600)
    publish(setting.teacher, hour(1))
    make_partition(setting.stream, 1)
    lease = train(setting)
    now = timezone.now()
    assert idle(lease, now + timedelta(seconds=590)) == "labels_scoring"
    answer = claims.next_work(lease=lease, now=now + timedelta(seconds=601))
    assert isinstance(answer, claims.Task)
    assert (answer.claim.label_set, answer.claim.label_reason) == (None, "deadline")


def test_a_label_set_that_comes_after_the_claim_changes_nothing():
    setting = make_setting(label_deadline_seconds=0)
    snapshot = publish(setting.teacher, hour(1))
    partition = make_partition(setting.stream, 1)
    run, lease = start(Kind.VM_TRAIN, setting.model)
    claim = next_claim(lease)
    make_label_set(partition, snapshot)
    end_attempt(lease=lease, outcome=Outcome(End.STOPPED, "worker_shutdown", ""))
    second = next_claim(take(run))
    assert (second.id, second.label_set, second.label_reason) == (claim.id, None, "deadline")


def test_an_open_claim_survives_its_run():
    setting = make_setting(bound=False)
    make_partition(setting.stream, 0)
    run, lease = start(Kind.VM_TRAIN, setting.model)
    claim = next_claim(lease)
    end_attempt(lease=lease, outcome=Outcome(End.STOPPED, "user", ""))
    second, fresh = start(Kind.VM_TRAIN, setting.model)
    reused = next_claim(fresh)
    assert (reused.id, reused.run_id) == (claim.id, second.id)
    assert run.id != second.id


def test_the_newest_label_set_is_chosen_once():
    setting = make_setting()
    old, new = publish(setting.teacher, hour(1)), publish(setting.teacher, hour(2))
    partition = make_partition(setting.stream, 2)
    make_label_set(partition, old)
    newest = make_label_set(partition, new)
    assert next_claim(train(setting)).label_set == newest


def test_a_model_that_reads_no_labels_waits_for_none():
    setting = make_setting(vertical_spec("none"))
    publish(setting.teacher, hour(1))
    make_partition(setting.stream, 1)
    assert next_claim(train(setting)).label_reason == "unsupervised"


def test_scoring_takes_the_newest_snapshot_that_is_old_enough():
    setting = make_setting()
    publish(setting.teacher, hour(1))
    fitting = publish(setting.teacher, hour(2))
    publish(setting.teacher, hour(3))
    make_partition(setting.stream, 2)
    claim = next_claim(start(Kind.DAS_SCORE, setting.teacher)[1])
    assert claim.snapshot == fitting


def test_no_snapshot_from_the_future_scores():
    setting = make_setting()
    publish(setting.teacher, hour(3))
    make_partition(setting.stream, 2)
    assert idle(start(Kind.DAS_SCORE, setting.teacher)[1]) == "no_partition"
    assert LabelSet.objects.count() == 0


def test_scoring_waits_for_a_fresher_snapshot_until_half_the_deadline():
    setting = make_setting(label_deadline_seconds=1000)
    ahead = join(setting.teacher)
    publish(setting.teacher, hour(1))
    make_partition(ahead.stream, 3)
    make_partition(setting.stream, 5)
    now = timezone.now()
    lease = start(Kind.DAS_SCORE, setting.teacher)[1]
    first = next_claim(lease)
    assert first.partition.start == hour(3)
    commit(lease=lease, claim=first, done=das_done(first))
    assert idle(lease, now + timedelta(seconds=490)) == "no_partition"
    assert isinstance(claims.next_work(lease=lease, now=now + timedelta(seconds=510)), claims.Task)


def test_what_a_student_has_behind_it_is_not_scored():
    setting = make_setting(label_deadline_seconds=0)
    publish(setting.teacher, hour(1))
    make_partition(setting.stream, 1)
    lease = train(setting)
    next_claim(lease)
    assert idle(start(Kind.DAS_SCORE, setting.teacher)[1]) == "no_partition"


def test_the_manifest_is_frozen_at_the_claim():
    setting = make_setting()
    late = join(setting.teacher, label_deadline_seconds=0)
    first = make_partition(setting.stream, 0)
    run, lease = start(Kind.FM_TRAIN, setting.teacher)
    claim = next_claim(lease)
    make_partition(late.stream, 0)
    end_attempt(lease=lease, outcome=Outcome(End.STOPPED, "worker_shutdown", ""))
    again = next_claim(take(run))
    assert again.id == claim.id
    assert list(ManifestEntry.objects.values_list("partition_id", flat=True)) == [first.id]


def test_a_candidate_must_beat_what_was_published_at_the_claim():
    setting = make_setting()
    current = publish(setting.teacher, hour(1))
    make_partition(setting.stream, 3)
    assert next_claim(start(Kind.FM_TRAIN, setting.teacher)[1]).snapshot == current


def test_refused_money_claims_nothing_and_stops_at_the_checkpoint():
    setting = make_setting(bound=False)
    make_partition(setting.stream, 0)
    lease = train(setting)
    first = next_claim(lease)
    commit(lease=lease, claim=first, done=vm_done(first))
    make_partition(setting.stream, 1, rows=10**12)
    answer = claims.next_work(lease=lease)
    assert isinstance(answer, Outcome)
    assert answer.code == "budget_exhausted"
    assert WorkClaim.objects.count() == 1
    assert end_attempt(lease=lease, outcome=answer) == State.QUEUED
    run = Run.objects.get()
    assert run.reason_code == "budget_exhausted"
    assert "budget" in run.reason_message


def test_a_paused_model_is_not_handed_more():
    setting = make_setting(bound=False)
    make_partition(setting.stream, 0)
    lease = train(setting)
    pause(model_id=setting.model.id)
    answer = claims.next_work(lease=lease)
    assert isinstance(answer, Outcome)
    assert end_attempt(lease=lease, outcome=answer) == State.CANCELLED
    assert plan() == []


def test_a_stale_lease_claims_nothing():
    setting = make_setting(bound=False)
    make_partition(setting.stream, 0)
    lease = train(setting)
    Run.objects.update(lease_token=None)
    with pytest.raises(StaleLease):
        claims.next_work(lease=lease)
    assert WorkClaim.objects.count() == 0
