"""Uploaded partitions are validated in a process of their own, then sealed or rejected with what is wrong."""

import pyarrow.parquet as pq
import pytest

from catalog.models import Partition
from exfm_core.data.partitions import file_sha256
from tenancy.scope import platform_scope
from tests.workers.world import make_world
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
