"""Memory stays bounded, whatever a partition's or a stream's size; batches do not depend on how rows are read."""

import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from exfm_core.data import partitions
from exfm_core.data.encode import Block, blocks, vertical_layout
from exfm_core.data.partitions import write_partition
from exfm_core.train import foundation_rows, measure
from exfm_core.train.foundation_rows import Stream, merge
from exfm_core.train.rows import Rows
from tests.exfm_core.train.factories import HOUR, ORIGIN, foundation, rows, schema, vertical

COLUMNS, ROWS, PARTITIONS = 44, 131_072, 10

WRITER = """
import sys, numpy as np, pyarrow as pa, pyarrow.parquet as pq
folder, columns, rows, parts = sys.argv[1], *map(int, sys.argv[2:])
rng = np.random.default_rng(0)
for part in range(parts):
    table = {f"c{i}": rng.integers(0, 50, rows) for i in range(columns)}
    table |= {"event_time": pa.array(np.arange(rows) + part * rows).cast(pa.timestamp("us", tz="UTC"))}
    table |= {"click": rng.integers(0, 2, rows).astype(np.int8)}
    pq.write_table(pa.table(table), f"{folder}/{part:02}.parquet", compression="zstd", row_group_size=rows)
"""

READER = """
import resource, sys

from exfm_core.data.encode import blocks, vertical_layout
from exfm_core.data.stream import Stream
from exfm_core.spec import Feature, StreamSchema, Task, VerticalModel
from exfm_core.train.rows import Cutter, Rows, spans
columns, names = int(sys.argv[2]), [f"c{i}" for i in range(int(sys.argv[2]))]
schema = StreamSchema(tuple(Feature(n, buckets=100) for n in names), (Task("click", "click", "click"),), user_key=None)
layout = vertical_layout(VerticalModel(tuple(names), ("click",)), schema)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
total = 0
for partition in Stream.read(sys.argv[1]):
    for block in blocks(partition.open(), layout, 1024):
        cutter = Cutter(Rows.of(block))
        for start, stop in spans(block.rows, 1024):
            inputs = cutter.inputs(start, stop)
            total += len(inputs.indices)
print(total, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10)
"""


def test_ten_partitions_of_more_than_the_allowance_stay_below_it(tmp_path: Path) -> None:
    """460 MB of decoded columns may take 150 MB: most of it is one whole row group of any other reader."""
    decoded = COLUMNS * ROWS * PARTITIONS * 8
    assert decoded > 400 << 20
    options = {"check": True, "capture_output": True, "text": True}
    shape = [str(number) for number in (COLUMNS, ROWS, PARTITIONS)]
    subprocess.run([sys.executable, "-c", WRITER, str(tmp_path), *shape], **options)  # type: ignore[call-overload]
    done = subprocess.run([sys.executable, "-c", READER, str(tmp_path), shape[0]], **options)  # type: ignore[call-overload]
    ids, megabytes = map(int, done.stdout.split())
    assert ids == COLUMNS * ROWS * PARTITIONS
    assert megabytes < 150


def same(left: list[Block], right: list[Block]) -> bool:
    def flat(many: list[Block]) -> list[list[float]]:
        union = Rows.concatenate([Rows.of(block) for block in many])
        parts = [*union.values, *union.offsets, union.dense.ravel(), union.labels.ravel(), union.times]
        return [part.tolist() for part in parts]

    return flat(left) == flat(right)


@pytest.mark.parametrize("piece", [7, 64, 100, 1000])
def test_batches_do_not_depend_on_pieces_and_row_groups(
    tmp_path: Path, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = vertical_layout(vertical().model, schema())
    table = rows(1000, 1).cast(partitions.arrow_schema(schema()))
    pq.write_table(table, tmp_path / "whole")
    pq.write_table(table, tmp_path / "cut", row_group_size=130)
    whole = list(blocks(tmp_path / "whole", layout, 64))
    monkeypatch.setattr(partitions.pieces, "__defaults__", (0, piece))
    found = list(blocks(tmp_path / "cut", layout, 64))
    assert all(block.rows % 64 == 0 for block in found[:-1])
    assert same(whole, found)


@pytest.mark.parametrize("row", [0, 1, 129, 130, 500, 999])
def test_reading_from_a_row_on_gives_what_a_full_read_cut_there_gives(tmp_path: Path, row: int) -> None:
    layout = vertical_layout(vertical().model, schema())
    table = rows(1000, 1).cast(partitions.arrow_schema(schema()))
    pq.write_table(table, tmp_path / "p", row_group_size=130)
    pq.write_table(table.slice(row), tmp_path / "rest")
    resumed = list(blocks(tmp_path / "p", layout, 64, start_row=row))
    assert resumed[0].first_row == row
    assert same(resumed, list(blocks(tmp_path / "rest", layout, 64)))


def test_nothing_is_copied_between_parquet_and_numpy() -> None:
    table = rows(100, 1).cast(partitions.arrow_schema(schema())).combine_chunks()
    column = table.slice(10, 50).column("placement")
    view = partitions.column_numpy(column)
    address = column.chunk(0).buffers()[1].address + column.chunk(0).offset * 8
    assert view.__array_interface__["data"][0] == address and not view.flags.writeable


def test_of_a_period_only_the_partitions_of_the_moment_are_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams, most, open_now = [], 0, 0
    for slot, count in ((1, 300), (2, 200)):
        for period in range(1, 9):
            write_partition(tmp_path / f"{slot}-{period}", rows(count, period, slot), schema())
            start: datetime = ORIGIN + period * HOUR
            streams.append(Stream(tmp_path / f"{slot}-{period}", schema(), slot, start))
    real = foundation_rows.blocks

    def counted(*arguments: object) -> object:
        nonlocal most, open_now
        open_now += 1
        most = max(most, open_now)
        yield from real(*arguments)  # type: ignore[arg-type]
        open_now -= 1

    monkeypatch.setattr(foundation_rows, "blocks", counted)
    lazy = Rows.concatenate(list(merge(streams, foundation().model)))
    assert most <= 4
    monkeypatch.undo()
    eager = Rows.concatenate(list(merge([replace(stream, start=None) for stream in streams], foundation().model)))
    for name in ("times", "slots", "dense", "labels"):
        assert np.array_equal(getattr(lazy, name), getattr(eager, name), equal_nan=name == "labels")
    assert all(np.array_equal(left, right) for left, right in zip(lazy.values, eager.values, strict=True))


def test_what_is_measured_in_parts_is_what_is_measured_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng, count = np.random.default_rng(0), 5000
    ledger = measure.Ledger(count, ("control",))
    ledger.logits["control"][:] = rng.normal(size=count).round(2)
    ledger.labels[:], ledger.buckets[:] = rng.integers(0, 2, count), rng.integers(0, 256, count)
    covered = rng.random(count) < 0.7
    whole = ledger.measure("control", covered)
    monkeypatch.setattr(measure, "_PART", 128)
    parts = ledger.measure("control", covered)
    for left, right in ((whole.all, parts.all), (whole.covered, parts.covered)):
        assert np.array_equal(left.n, right.n) and np.array_equal(left.y, right.y)
        assert np.allclose(left.loss, right.loss, rtol=1e-12) and np.allclose(left.p, right.p, rtol=1e-12)
    assert whole.auc == parts.auc and whole.histogram.encode() == parts.histogram.encode()
