"""A stream's partitions: strict time order, no overlap, no duplicate, and the file that was sealed or none."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from exfm_core.data.encode import blocks, vertical_layout
from exfm_core.data.partitions import write_partition
from exfm_core.data.stream import Stream, StreamPartition
from exfm_core.errors import DataError
from tests.exfm_core.train.factories import rows, schema, vertical

MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for period in (3, 1, 2):
        write_partition(tmp_path / f"{9 - period}.parquet", rows(200, period), schema())
    return tmp_path


def test_a_folder_is_read_in_the_order_of_its_times(folder: Path) -> None:
    stream = Stream.read(str(folder))
    assert [part.uri for part in stream] == ["8.parquet", "7.parquet", "6.parquet"]
    assert (len(stream), stream.rows) == (3, 600)
    times = rows(200, 1).column("event_time").to_pylist()
    first = stream.partitions[0]
    assert (first.start, first.end) == (times[0], times[-1] + MICROSECOND)


@pytest.mark.parametrize("scheme", ["file", "memory"])
def test_a_manifest_says_the_same(folder: Path, scheme: str) -> None:
    root = f"{scheme}://{folder}"
    if scheme == "memory":
        for path in folder.iterdir():
            fsspec.filesystem("memory").pipe_file(f"{folder}/{path.name}", path.read_bytes())
    found = Stream.from_folder(root)
    Stream(found.partitions, schema()).write_manifest(f"{root}/manifest.json")
    again = Stream.read(root)
    assert again.partitions == found.partitions and again.schema == schema()
    layout = vertical_layout(vertical().model, schema())
    assert sum(block.rows for part in again for block in blocks(part.open(), layout, 64)) == 600


def entry(uri: str, first: int, last: int, digest: str = "") -> StreamPartition:
    origin = rows(1, 1).column("event_time")[0].as_py()
    sha256 = (digest or uri).ljust(64, "0")
    return StreamPartition(".", uri, origin + first * MICROSECOND, origin + last * MICROSECOND, 1, sha256, 1)


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([], "empty"),
        ([entry("a", 0, 10), entry("b", 9, 20)], "overlap"),
        ([entry("a", 10, 20), entry("b", 0, 10)], "order"),
        ([entry("a", 0, 10), entry("a", 10, 20)], "duplicate"),
        ([entry("a", 0, 10, "x"), entry("b", 10, 20, "x")], "duplicate"),
        ([entry("a", 10, 10)], "bad_interval"),
        ([replace(entry("a", 0, 10), rows=0)], "bad_interval"),
    ],
)
def test_what_is_no_stream_is_refused(parts: list[StreamPartition], code: str) -> None:
    with pytest.raises(DataError) as caught:
        Stream(parts)
    assert caught.value.code == f"stream.{code}" and caught.value.mend


def test_edges_may_touch() -> None:
    assert Stream([entry("a", 0, 10), entry("b", 10, 20)]).rows == 2


def test_rows_of_one_time_in_two_files_overlap(tmp_path: Path) -> None:
    table = rows(200, 1)
    write_partition(tmp_path / "1.parquet", table.slice(0, 101), schema())
    write_partition(tmp_path / "2.parquet", table.slice(100, 100), schema())
    with pytest.raises(DataError) as caught:
        Stream.read(str(tmp_path))
    assert caught.value.code == "stream.overlap"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda table: table.slice(0, 0), "stream.bad_interval"),
        (lambda table: table.take(pa.array(range(199, -1, -1))), "data.not_sorted"),
        (lambda table: table.drop_columns(["event_time"]), "data.missing_column"),
    ],
)
def test_a_file_without_times_in_order_is_refused(
    tmp_path: Path, change: Callable[[pa.Table], pa.Table], code: str
) -> None:
    pq.write_table(change(rows(200, 1)), tmp_path / "1.parquet")
    with pytest.raises(DataError) as caught:
        Stream.read(str(tmp_path))
    assert caught.value.code == code


@pytest.mark.parametrize(
    "change",
    [
        {"uri": "../secret.parquet"},
        {"uri": "/etc/passwd"},
        {"uri": "s3://elsewhere/p"},
        {"start": "2026-01-01T01:00:00"},
        {"rows": "many"},
        {"sha256": None},
    ],
)
def test_a_manifest_that_names_something_else_is_refused(folder: Path, change: dict[str, Any]) -> None:
    Stream.read(str(folder)).write_manifest(str(folder / "manifest.json"))
    body = json.loads((folder / "manifest.json").read_text())
    body["partitions"][1] |= change
    (folder / "manifest.json").write_text(json.dumps(body))
    with pytest.raises(DataError) as caught:
        Stream.read(str(folder))
    assert caught.value.code == "stream.bad_manifest"


def test_a_file_that_is_gone_or_changed_is_refused(folder: Path) -> None:
    first, second, _ = Stream.read(str(folder))
    (folder / first.uri).unlink()
    (folder / second.uri).write_bytes(b"PAR1")
    for part, code in ((first, "stream.missing"), (second, "stream.changed")):
        with pytest.raises(DataError) as caught:
            part.open()
        assert caught.value.code == code


def test_no_manifest_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no manifest"):
        Stream.read(str(tmp_path / "manifest.json"))
