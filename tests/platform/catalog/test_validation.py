"""Sealing and rejecting an upload with the validator's report; a sealed partition never changes."""

import dataclasses
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db import IntegrityError, transaction

from catalog import selectors, services
from catalog.models import Partition, Stream
from exfm_core.data.validate import validate_partition
from tenancy.scope import platform_scope
from tests.kit import domain
from tests.kit.domain import hour
from tests.platform.catalog.test_receive_partition import receive

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage")]


def parquet(tmp_path: Path, **columns: object) -> bytes:
    """A file that fits `domain.schema()` in the first hour, with some columns replaced (None = left out)."""
    values: dict[str, object] = {
        "event_time": pa.array([hour(0)] * 3, pa.timestamp("us", "UTC")),
        "user_id": pa.array([1, 2, 3], pa.int64()),
        "item_id": pa.array([1, 2, 3], pa.int64()),
        "score": pa.array([0.1, 0.2, 0.3], pa.float64()),
        "secret_id": pa.array([1, 2, 3], pa.int64()),
        "clicked": pa.array([0, 1, 1], pa.int8()),
    }
    values.update(columns)
    target = tmp_path / "file.parquet"
    pq.write_table(pa.table({name: value for name, value in values.items() if value is not None}), target)
    return target.read_bytes()


def report(stream: Stream, partition: Partition, storage: str) -> dict[str, object]:
    """What the validator says about the stored file."""
    path = Path(storage.removeprefix("file://")) / partition.uri
    return validate_partition(path, selectors.schema_of(stream), partition.start, partition.end).to_json()


@pytest.fixture
def stream():
    with platform_scope("test"):
        yield domain.make_stream(domain.make_tenant())


def test_a_good_file_is_sealed_with_its_counts(stream: Stream, storage: str, tmp_path: Path) -> None:
    partition, _ = receive(stream, parquet(tmp_path))
    for _ in range(2):
        sealed = services.seal(partition_id=partition.id, report=report(stream, partition, storage))
    assert (sealed.state, sealed.rows, sealed.positives) == ("sealed", 3, {"click": 2})
    found = selectors.counted_stream(stream_id=stream.id)
    assert found.counts == {"sealed": 1, "rejected": 0, "rows": 3}


@pytest.mark.parametrize(
    ("columns", "column", "row", "expected", "found"),
    [
        ({"item_id": None}, "item_id", None, "int64", "no such column"),
        ({"item_id": pa.array(["a", "b", "c"])}, "item_id", None, "int64", "string"),
        ({"item_id": pa.array([1, -2, 3], pa.int64())}, "item_id", 1, None, "-2"),
        ({"clicked": pa.array([0, 1, 7], pa.int8())}, "clicked", 2, None, "7"),
    ],
)
def test_a_file_that_breaks_the_schema_is_rejected_by_column_row_and_type(
    stream: Stream,
    storage: str,
    tmp_path: Path,
    columns: dict[str, object],
    column: str,
    row: int | None,
    expected: str | None,
    found: str,
) -> None:
    partition, _ = receive(stream, parquet(tmp_path, **columns))
    verdict = report(stream, partition, storage)
    assert verdict["ok"] is False
    rejected = services.reject(partition_id=partition.id, problems=verdict["problems"])
    assert rejected.state == "rejected"
    problem = rejected.problems[0]
    assert (problem["column"], problem["row"]) == (column, row)
    assert found in problem["found"]
    assert expected is None or expected in problem["expected"]
    assert f"{column!r}" in problem["message"]


def test_a_rejected_interval_may_be_sent_again(stream: Stream, storage: str, tmp_path: Path) -> None:
    partition, _ = receive(stream, b"no parquet")
    services.reject(partition_id=partition.id, problems=[{"message": "no Parquet file"}])
    again, new = receive(stream, parquet(tmp_path))
    assert new
    assert again.id != partition.id


def test_a_file_that_changed_since_the_upload_is_rejected(stream: Stream, storage: str, tmp_path: Path) -> None:
    partition, _ = receive(stream, parquet(tmp_path))
    changed = {**report(stream, partition, storage), "sha256": "f" * 64}
    rejected = services.seal(partition_id=partition.id, report=changed)
    assert rejected.state == "rejected"
    (problem,) = rejected.problems
    assert problem["message"] == "The stored file is not the one that was uploaded. Upload the interval again."
    assert (problem["expected"], problem["found"]) == (partition.sha256, "f" * 64)


@pytest.mark.parametrize("change", [{"rows": 5}, {"uri": "elsewhere"}, {"state": "rejected"}, {"positives": {}}])
def test_the_database_refuses_to_change_a_sealed_partition(stream: Stream, change: dict[str, object]) -> None:
    partition = domain.make_partition(stream)
    with pytest.raises(IntegrityError, match="cannot be changed"), transaction.atomic():
        Partition.objects.filter(id=partition.id).update(**change)


def test_the_database_refuses_overlapping_intervals(stream: Stream) -> None:
    domain.make_partition(stream, 0)
    with pytest.raises(IntegrityError, match="partition_intervals_disjoint"), transaction.atomic():
        domain.make_partition(stream, 0)


def test_the_upload_fixes_interval_and_content(stream: Stream) -> None:
    partition, _ = receive(stream)
    with pytest.raises(IntegrityError, match="fixed at upload"), transaction.atomic():
        Partition.objects.filter(id=partition.id).update(state="sealed", rows=1, sealed_at=hour(0), sha256="e" * 64)
    with pytest.raises(IntegrityError, match="without rows"), transaction.atomic():
        Partition.objects.filter(id=partition.id).update(state="sealed")


def test_the_worker_learns_all_it_needs(stream: Stream) -> None:
    partition, _ = receive(stream)
    needed = selectors.validation(partition_id=partition.id)
    assert needed is not None
    assert dataclasses.asdict(needed)["schema"] == stream.schema
    assert needed.uri == partition.uri
