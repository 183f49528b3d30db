"""The kept number of a partition's consumers is the number of ledger rows: after commits, lost ones, and a rollback."""

import importlib
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.models import Count

from catalog import selectors
from catalog.models import Partition, PartitionUse
from registry.models import VerticalModel
from registry.services import roll_back
from runs.models import Consumption, Kind, ManifestEntry, WorkClaim
from tenancy.scope import platform_scope, tenant_scope
from tests.kit import domain
from tests.kit.patience import PATIENCE
from tests.kit.roles import APP, PLATFORM, database_role
from tests.platform.insights import scene as scenes

pytestmark = pytest.mark.django_db

MIGRATION = importlib.import_module("runs.migrations.0007_count_uses")


@pytest.fixture(autouse=True)
def _platform() -> Iterator[None]:
    with platform_scope("test"):
        yield


def settle() -> None:
    """Do now what the end of the transaction does."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def kept() -> dict[object, int]:
    return dict(PartitionUse.objects.values_list("partition_id", "trained"))


def counted() -> dict[object, int]:
    own = Consumption.objects.filter(lineage__tenant__isnull=False).order_by().values_list("partition_id")
    return dict(own.annotate(number=Count("id")))


def feed(scene: scenes.Scene, partition: Partition) -> None:
    """Let the foundation model consume the partition."""
    course = domain.foundation_lineage(scene.teacher)
    run = domain.make_run(None, foundation_model=scene.teacher, kind=Kind.FM_TRAIN, state="succeeded")
    claim = WorkClaim.objects.create(
        run=run, kind=Kind.FM_TRAIN, lineage=course, period_start=partition.start, period_end=partition.end
    )
    ManifestEntry.objects.create(tenant=scene.tenant, claim=claim, lineage=course, partition=partition)
    domain.make_consumption(course, partition, claim, domain.make_checkpoint(course, 1))


def test_models_count_and_the_foundation_model_does_not() -> None:
    scene = scenes.make_scene(partitions=3)
    single = domain.make_model(scene.stream)
    scenes.commit_arm(single, "control", scene.partitions[1], loss=0.3)
    feed(scene, scene.partitions[1])
    settle()
    first, second, third = (partition.id for partition in scene.partitions)
    assert kept() == counted() == {first: 2, second: 3, third: 2}
    unused = domain.make_partition(scene.stream, 9)
    with tenant_scope(scene.tenant.id):
        rows = selectors.partitions(stream_id=scene.stream.id)
        assert dict(rows.values_list("id", "trained")) == {**kept(), unused.id: 0}


def test_a_snapshot_taken_back_takes_back_no_consumption() -> None:
    scene = scenes.make_scene(partitions=3)
    domain.publish(scene.teacher, domain.hour(1))
    scene.teacher.refresh_from_db()
    settle()
    before = kept()
    roll_back(foundation_model=scene.teacher, reason="it drifted")
    settle()
    assert kept() == counted() == before
    scenes.train(scene, 5, covered=False)
    settle()
    assert kept() == counted() != before


def test_what_is_rolled_back_is_not_counted() -> None:
    scene = scenes.make_scene(partitions=1)
    settle()
    before = kept()
    with pytest.raises(RuntimeError), transaction.atomic():
        scenes.train(scene, 7, covered=False)
        settle()
        assert kept() != before
        raise RuntimeError
    assert kept() == counted() == before


def test_the_migration_counts_what_there_is() -> None:
    scene = scenes.make_scene(partitions=2)
    feed(scene, scene.partitions[0])
    scenes.make_scene(teacher=scene.teacher, partitions=1)
    settle()
    before = kept()
    with database_role(None):
        PartitionUse.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute(MIGRATION.COUNTED)
    assert kept() == counted() == before
    assert len(before) == 3


def test_a_tenant_reads_its_own_and_changes_nothing() -> None:
    mine, other = scenes.make_scene(partitions=1), scenes.make_scene(partitions=1)
    settle()
    with database_role(APP), tenant_scope(mine.tenant.id):
        assert set(kept()) == {mine.partitions[0].id}
        assert not PartitionUse.objects.filter(partition=other.partitions[0]).exists()
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            PartitionUse.objects.update(trained=0)


def commit(model: VerticalModel, arm: str, partitions: list[Partition], barrier: threading.Barrier) -> int:
    """Consume the partitions one by one on a connection of this thread; every now and then it dies in between."""
    dice, died = random.Random(f"{model.name} {arm}"), 0
    try:
        with platform_scope("test"):
            barrier.wait(PATIENCE)
            for partition in partitions:
                fate = dice.random()
                try:
                    with transaction.atomic():
                        scenes.commit_arm(model, arm, partition, loss=0.3)
                        transaction.set_rollback(fate < 0.2)
                        if fate > 0.8:
                            settle()
                            connection.cursor().execute("RESET ROLE; SELECT pg_terminate_backend(pg_backend_pid())")
                except OperationalError:
                    died += 1
                    connection.close()
    finally:
        connection.close()
    return died


@pytest.mark.django_db(transaction=True)
def test_commits_at_once_and_processes_that_die_leave_the_right_count() -> None:
    with database_role(PLATFORM):
        stream = domain.make_stream(domain.make_tenant())
        partitions = [domain.make_partition(stream, index) for index in range(12)]
        teacher = domain.make_foundation_model()
        courses = [(domain.make_model(stream, teacher), arm) for _ in range(3) for arm in ("control", "treatment")]
        for model, _ in courses:
            domain.make_run(model.tenant, model, state="succeeded")
        barrier = threading.Barrier(len(courses))
        with ThreadPoolExecutor(len(courses)) as pool:
            futures = [pool.submit(commit, model, arm, partitions, barrier) for model, arm in courses]
            died = sum(future.result(60) for future in futures)
        assert died > 0
        assert max(counted().values()) > 1
        assert kept() == counted()
