"""Deletion against what happens at the same moment on another connection: one of both comes first, nothing is torn."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from catalog import services, uses
from catalog.models import Partition, Stream
from runs import claims
from runs.models import Kind, WorkClaim
from tenancy.errors import DomainError
from tenancy.scope import platform_scope
from tests.kit import domain
from tests.kit.patience import PATIENCE
from tests.platform.catalog.test_receive_partition import receive
from tests.platform.runs.setting import make_setting, start

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storage")]

Act = Callable[[], Any]
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"
"""The server is this test process's own."""


def on_another_connection(act: Act) -> Any:
    """Return the outcome, or the code of the refusal."""
    try:
        with platform_scope("test"):
            return act()
    except DomainError as error:
        return error.code
    finally:
        connection.close()


def one_waits(other: "Future[Any]") -> None:
    """Return once the other connection waits for a lock of this one."""
    until = time.monotonic() + PATIENCE
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            assert not other.done(), other.result()
            cursor.execute(WAITING)
            if cursor.fetchone()[0]:
                return
            time.sleep(0.01)
    pytest.fail("nobody waits")


def after(first: Act, second: Act) -> tuple[Any, Any]:
    """Do both; the second begins before the first is durable, and waits for it."""
    with ThreadPoolExecutor(1) as pool, platform_scope("test"):
        with transaction.atomic():
            one = first()
            other = pool.submit(on_another_connection, second)
            one_waits(other)
        return one, other.result(PATIENCE)


def delete(partition: Partition) -> Act:
    return lambda: services.delete_partition(stream_id=partition.stream_id, partition_id=partition.id)


@pytest.fixture
def teaching() -> Any:
    """A model's supervisor that is about to ask for work, and the one partition there is."""
    with platform_scope("test"):
        setting = make_setting(bound=False)
        partition = domain.make_partition(setting.stream)
        _, lease = start(Kind.VM_TRAIN, setting.model)
    return partition, lambda: claims.next_work(lease=lease)


def test_a_partition_that_is_being_claimed_stays(teaching: Any) -> None:
    partition, ask = teaching
    task, refusal = after(ask, delete(partition))
    assert isinstance(task, claims.Task)
    assert refusal == "in_use"
    with platform_scope("test"):
        assert uses.of_partition(partition_id=partition.id).counts == {"model": 1, "run": 1}
        assert Partition.objects.filter(id=partition.id).exists()


def test_a_partition_that_is_being_deleted_is_not_claimed(teaching: Any) -> None:
    partition, ask = teaching
    _, answer = after(delete(partition), ask)
    assert isinstance(answer, claims.Idle)
    with platform_scope("test"):
        assert not WorkClaim.objects.exists()
        assert not Partition.objects.exists()


def test_of_two_deletions_one_finds_nothing(teaching: Any) -> None:
    partition, _ = teaching
    gone, refusal = after(delete(partition), delete(partition))
    assert gone.id == partition.id
    assert refusal == "partition_not_found"


@pytest.mark.parametrize("state", ["sealed", "rejected"])
def test_a_verdict_and_a_deletion_take_turns(state: str) -> None:
    with platform_scope("test"):
        stream = domain.make_stream(domain.make_tenant())
        partition, late = (domain.make_partition(stream, index, state="uploaded") for index in (0, 1))

    def decide(asked: Partition) -> Act:
        if state == "rejected":
            return lambda: services.reject(partition_id=asked.id, problems=[]).state
        report = {"sha256": asked.sha256, "rows": 1, "positives": {}}
        return lambda: services.seal(partition_id=asked.id, report=report).state

    decided, gone = after(decide(partition), delete(partition))
    assert (decided, gone.id) == (state, partition.id)
    assert after(delete(late), decide(late))[1] == "partition_not_found"


def test_a_stream_that_receives_its_first_partition_stays() -> None:
    with platform_scope("test"):
        stream = domain.make_stream(domain.make_tenant())
    _, refusal = after(lambda: receive(stream, b"PAR1"), lambda: services.delete_stream(stream_id=stream.id))
    assert refusal == "in_use"


@pytest.mark.parametrize("what", ["upload", "model"])
def test_a_stream_that_is_being_deleted_receives_nothing(what: str) -> None:
    with platform_scope("test"):
        stream = domain.make_stream(domain.make_tenant())
    acts: dict[str, Act] = {"upload": lambda: receive(stream, b"PAR1"), "model": lambda: domain.make_model(stream)}
    _, refusal = after(lambda: services.delete_stream(stream_id=stream.id), acts[what])
    assert refusal == "stream_not_found"
    with platform_scope("test"):
        assert not Stream.objects.exists()
