"""Uploaded partitions are validated in a process of their own, then sealed or rejected with what is wrong."""

import signal
import subprocess

import pyarrow.parquet as pq
import pytest
import structlog

from catalog import services, storage
from catalog.models import Partition
from exfm_core.data.partitions import file_sha256
from tenancy.scope import platform_scope
from tests.workers.world import make_world
from workers import validation
from workers.validation import validate_partition

pytestmark = pytest.mark.django_db


@pytest.fixture
def uploaded(storage):
    """A world with one sealed partition, and a function that stores a copy of it as an upload of the next period."""
    with platform_scope("test"):
        world = make_world(storage, tenants=1)
        world.seal([0])
        first = Partition.objects.get()
        width = first.end - first.start

        def upload(change=lambda table: table, **fields):
            start, end, table = world.recipe.partitions(1)["northwind-shop"]
            path = world.root / "upload.parquet"
            pq.write_table(change(table), path)
            sha, size = file_sha256(path)
            assert end - start == width
            values = {"uri": "upload.parquet", "sha256": sha, "bytes": size, "start": start, "end": end, **fields}
            return Partition.objects.create(tenant=first.tenant, stream=first.stream, **values)

        yield upload


def test_a_valid_file_is_sealed_with_its_counts(uploaded):
    partition = uploaded()
    validate_partition(partition.id)
    partition.refresh_from_db()
    assert partition.state == Partition.State.SEALED
    assert partition.rows > 0
    assert partition.positives


def test_a_file_with_a_wrong_column_is_rejected_by_name(uploaded):
    partition = uploaded(lambda table: table.drop_columns(["region"]))
    validate_partition(partition.id)
    partition.refresh_from_db()
    assert partition.state == Partition.State.REJECTED
    assert "region" in {problem["column"] for problem in partition.problems}


def test_validating_again_changes_nothing(uploaded):
    partition = uploaded()
    validate_partition(partition.id)
    partition.refresh_from_db()
    sealed = partition.sealed_at
    validate_partition(partition.id)
    partition.refresh_from_db()
    assert partition.sealed_at == sealed


def test_a_column_name_with_a_null_character_is_rejected_and_stored(uploaded):
    partition = uploaded(lambda table: table.append_column("a\x00b", table.column("region")))
    validate_partition(partition.id)
    partition.refresh_from_db()
    assert partition.state == Partition.State.REJECTED


@pytest.mark.parametrize("status", [-signal.SIGSEGV, -signal.SIGKILL, None])
def test_a_file_that_its_validator_does_not_survive_is_given_up(uploaded, monkeypatch, status):
    def run(command, **_):
        if status is None:
            raise subprocess.TimeoutExpired(command, validation.LIMIT_SECONDS)
        return subprocess.CompletedProcess(command, status, b"", b"")

    monkeypatch.setattr(validation.subprocess, "run", run)
    partition = uploaded()
    validate_partition(partition.id)
    partition.refresh_from_db()
    assert partition.state == Partition.State.REJECTED
    assert "given up" in partition.problems[0]["message"]


def test_a_validator_that_fails_by_itself_decides_nothing(uploaded, monkeypatch):
    monkeypatch.setattr(
        validation.subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1, b"", b"Traceback")
    )
    partition = uploaded()
    validate_partition(partition.id)
    partition.refresh_from_db()
    assert partition.state == Partition.State.UPLOADED


def test_a_partition_is_not_validated_twice_at_once_nor_all_of_one_tenants(uploaded, monkeypatch):
    first = uploaded()
    again = []

    def run(command, **_):
        again.append(command)
        validate_partition(first.id)
        return subprocess.CompletedProcess(command, -signal.SIGKILL, b"", b"")

    monkeypatch.setattr(validation.subprocess, "run", run)
    monkeypatch.setitem(validation._turns, first.stream_id, first.tenant_id)
    validate_partition(first.id)
    assert len(again) == 1
    waiting = uploaded()
    monkeypatch.setitem(validation._turns, first.id, first.tenant_id)
    validate_partition(waiting.id)
    waiting.refresh_from_db()
    assert waiting.state == Partition.State.UPLOADED


def test_a_partition_without_a_turn_is_asked_for_when_a_turn_ends(uploaded, monkeypatch):
    asked = []
    monkeypatch.setattr(validation.tasks_out, "validate_now", lambda **ids: asked.append(ids["partition_id"]))
    first = uploaded()
    width = first.end - first.start
    second = uploaded(start=first.end, end=first.end + width)
    third = uploaded(start=first.end + width, end=first.end + 2 * width)
    monkeypatch.setitem(validation._turns, second.id, second.tenant_id)
    validate_partition(first.id)
    assert asked == [third.id]


def test_a_validator_that_fails_asks_for_no_other(uploaded, monkeypatch):
    asked = []
    monkeypatch.setattr(validation.tasks_out, "validate_now", lambda **ids: asked.append(ids["partition_id"]))
    monkeypatch.setattr(
        validation.subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1, b"", b"Traceback")
    )
    first = uploaded()
    uploaded(start=first.end, end=first.end + (first.end - first.start))
    validate_partition(first.id)
    assert asked == []


def test_a_partition_deleted_while_it_is_validated_needs_no_verdict(uploaded, monkeypatch):
    partition, run = uploaded(), validation._run

    def run_while_deleted(*asked):
        services.delete_partition(stream_id=partition.stream_id, partition_id=partition.id)
        return run(*asked)

    monkeypatch.setattr(validation, "_run", run_while_deleted)
    with structlog.testing.capture_logs() as logged:
        validate_partition(partition.id)
        validate_partition(partition.id)
    assert not Partition.objects.filter(id=partition.id).exists()
    assert [entry for entry in logged if entry["log_level"] == "error"] == []
    assert not storage.is_kept(partition.uri)


def test_a_partition_deleted_with_its_file_before_its_validator_reads_it_is_no_error(uploaded, monkeypatch):
    partition, local = uploaded(), validation._local

    def deleted_before(*asked):
        services.delete_partition(stream_id=partition.stream_id, partition_id=partition.id)
        services.drop_file(tenant_id=partition.tenant_id, uri=partition.uri)
        return local(*asked)

    monkeypatch.setattr(validation, "_local", deleted_before)
    with structlog.testing.capture_logs() as logged:
        validate_partition(partition.id)
    assert [entry for entry in logged if entry["log_level"] == "error"] == []
