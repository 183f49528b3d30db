"""When a period of the teacher closes, and what its manifest holds."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.models import Partition
from registry.services import pause
from runs.periods import frontier, next_period
from tests.kit.domain import hour, make_partition, make_stream, schema
from tests.platform.runs.setting import do_period, join, make_setting


def ids(period) -> set:
    return {p.id for p in period.partitions}


def test_a_period_closes_when_every_bound_stream_got_there():
    setting = make_setting()
    other = join(setting.teacher)
    first = make_partition(setting.stream, 0)
    assert next_period(setting.teacher) is None
    second = make_partition(other.stream, 0)
    period = next_period(setting.teacher)
    assert (period.end, ids(period)) == (hour(1), {first.id, second.id})


def test_a_later_partition_shows_that_a_stream_got_there():
    setting = make_setting()
    other = join(setting.teacher)
    first = make_partition(setting.stream, 0)
    make_partition(other.stream, 1)
    assert ids(next_period(setting.teacher)) == {first.id}


def test_a_laggard_is_waited_for_until_its_deadline():
    setting = make_setting()
    join(setting.teacher, label_deadline_seconds=600)
    make_partition(setting.stream, 0)
    now = timezone.now()
    assert next_period(setting.teacher, now + timedelta(seconds=590)) is None
    assert next_period(setting.teacher, now + timedelta(seconds=610)) is not None


def test_no_tenant_can_hold_the_teacher_up_for_longer_than_a_period():
    setting = make_setting()
    join(setting.teacher, label_deadline_seconds=30 * 86_400)
    make_partition(setting.stream, 0)
    now = timezone.now()
    assert next_period(setting.teacher, now + timedelta(seconds=3590)) is None
    assert next_period(setting.teacher, now + timedelta(seconds=3610)) is not None


@pytest.mark.parametrize("wrong", [{"catalogue": "no_such_name"}, {"kind": "dense", "buckets": 0}, {"catalogue": ""}])
def test_a_stream_that_does_not_fit_the_catalogue_does_not_stop_the_teacher(wrong):
    setting = make_setting()
    feature = {"name": "x", "kind": "categorical", "buckets": 10, "catalogue": "item_id", **wrong}
    other = make_stream(setting.tenant, schema={**schema().to_json(), "features": [feature]})
    make_partition(other, 0)
    first = make_partition(setting.stream, 0)
    assert ids(next_period(setting.teacher)) == {first.id}


def test_a_stream_still_being_validated_is_waited_for():
    setting = make_setting()
    other = join(setting.teacher)
    make_partition(setting.stream, 0)
    make_partition(other.stream, 0, state="uploaded", sealed_at=None, rows=None)
    make_partition(other.stream, 1)
    assert next_period(setting.teacher) is None
    Partition.objects.filter(stream=other.stream, state="uploaded").update(state="rejected")
    assert next_period(setting.teacher) is not None


def test_paused_and_mute_streams_hold_nothing_up():
    setting = make_setting()
    paused, mute = join(setting.teacher), join(setting.teacher, feed_fm=False)
    pause(model_id=paused.model.id)
    first = make_partition(setting.stream, 0)
    make_partition(mute.stream, 0)
    assert ids(next_period(setting.teacher)) == {first.id}


def test_late_partitions_fall_into_the_next_period():
    setting = make_setting()
    late = join(setting.teacher, label_deadline_seconds=0)
    make_partition(setting.stream, 0)
    do_period(setting.teacher)
    straggler = make_partition(late.stream, 0)
    assert next_period(setting.teacher) is None
    second = make_partition(setting.stream, 1)
    assert ids(next_period(setting.teacher)) == {straggler.id, second.id}


def test_a_partition_older_than_the_streams_position_is_never_taken():
    setting = make_setting()
    make_partition(setting.stream, 3)
    do_period(setting.teacher)
    make_partition(setting.stream, 1)
    assert next_period(setting.teacher) is None
    after = make_partition(setting.stream, 4)
    assert ids(next_period(setting.teacher)) == {after.id}


def test_the_frontier_is_the_earliest_end_to_come():
    setting = make_setting()
    assert frontier(setting.teacher) is None
    make_partition(setting.stream, 0)
    make_partition(setting.stream, 1)
    assert frontier(setting.teacher) == hour(1)
    do_period(setting.teacher)
    assert frontier(setting.teacher) == hour(2)
    do_period(setting.teacher)
    assert frontier(setting.teacher) is None
