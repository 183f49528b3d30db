"""Blocks hold the file's rows, in order, whatever the row groups and wherever reading starts."""

import threading
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from exfm_core.data import hashing
from exfm_core.data.encode import Block, Input, Layout, blocks, foundation_layout, vertical_layout
from exfm_core.errors import DataError
from exfm_core.spec import Feature, FoundationModel, VerticalModel

from .rows import schema, table

VM = vertical_layout(VerticalModel(("item_id", "recent", "age", "hour"), ("click",)), schema())


def write(path: Path, count: int = 1000, group: int = 300) -> Path:
    pq.write_table(table(count), path, row_group_size=group)
    return path


def bags(block: Block, feature: int) -> list[list[int]]:
    ends = block.offsets[feature]
    return [block.values[feature][ends[i] : ends[i + 1]].tolist() for i in range(block.rows)]


def everything(source: Path, layout: Layout, size: int, start: int = 0) -> list[object]:
    """All rows as plain values, without where the blocks were cut."""
    found: list[object] = []
    for block in blocks(source, layout, size, start):
        features = [bags(block, f) for f in range(len(block.values))]
        rest = zip(block.dense.tolist(), block.labels.tolist(), block.user_buckets, block.event_time_us, strict=True)
        found += [(*(f[i] for f in features), *row) for i, row in enumerate(rest)]
    return found


def test_blocks_agree_with_a_row_by_row_reading(tmp_path: Path) -> None:
    source = table(1000).to_pylist()
    row = 0
    for block in blocks(write(tmp_path / "p.parquet"), VM, 128):
        assert block.first_row == row
        items, recent, hours = (bags(block, f) for f in range(3))
        for i in range(block.rows):
            wanted = source[row]
            assert items[i] == hashing.embedding_rows(np.array([wanted["item_id"]]), 50, True).tolist()
            assert recent[i] == hashing.embedding_rows(np.array(wanted["recent"], np.int64), 50, True).tolist()
            assert hours[i] == [wanted["hour"]]
            assert block.dense[i, 0] == wanted["age"] and block.labels[i, 0] == wanted["clicked"]
            row += 1
    assert row == 1000


def test_every_block_but_the_last_is_whole_batches(tmp_path: Path) -> None:
    sizes = [block.rows for block in blocks(write(tmp_path / "p.parquet", group=300), VM, 128)]
    assert sum(sizes) == 1000 and all(size % 128 == 0 for size in sizes[:-1])


def test_users_are_bucketed_and_held_back(tmp_path: Path) -> None:
    keys = table(1000).column("user_id").to_numpy()
    found = list(blocks(write(tmp_path / "p.parquet"), VM, 128))
    assert np.array_equal(np.concatenate([b.held_back for b in found]), hashing.held_back(keys))
    assert np.array_equal(np.concatenate([b.user_buckets for b in found]), hashing.user_buckets(keys))


def test_rows_do_not_depend_on_row_groups(tmp_path: Path) -> None:
    small, whole = write(tmp_path / "a", group=77), write(tmp_path / "b", group=1000)
    assert everything(small, VM, 64) == everything(whole, VM, 64)


@pytest.mark.parametrize("start", [0, 128, 299, 300, 896, 1000])
def test_reading_resumes_at_a_row(tmp_path: Path, start: int) -> None:
    path = write(tmp_path / "p.parquet")
    assert everything(path, VM, 128, start) == everything(path, VM, 128)[start:]


def test_foundation_layout_fills_what_the_stream_lacks(tmp_path: Path) -> None:
    features = (
        Feature("device", buckets=9),
        Feature("item_id", buckets=7),
        Feature("hour", buckets=24, hashed=False),
        Feature("price", kind="dense"),
        Feature("age", kind="dense"),
    )
    layout = foundation_layout(FoundationModel(features, ("like", "conversion")), schema())
    block = next(blocks(write(tmp_path / "p.parquet"), layout, 16))
    assert [len(values) for values in block.values] == [0, block.rows, block.rows]
    assert not block.dense[:, 0].any() and block.dense[:, 1].any()
    assert np.isnan(block.labels[:, 0]).all()
    assert block.labels[:, 1].tolist() == table(1000).column("bought").to_pylist()[: block.rows]


def test_a_stream_without_users_is_bucketed_by_time(tmp_path: Path) -> None:
    pq.write_table(table(500, user_key=None), tmp_path / "p")
    layout = vertical_layout(VerticalModel(("item_id",), ("click",)), schema(None))
    buckets = np.concatenate([block.user_buckets for block in blocks(tmp_path / "p", layout, 100)])
    assert 2 <= len(np.unique(buckets)) <= 5


def test_an_unhashed_id_outside_its_table_is_an_error_with_its_row(tmp_path: Path) -> None:
    small = Input(Feature("item_id", buckets=5, hashed=False), "item_id")
    layout = Layout(schema(), (small,), ("clicked",))
    with pytest.raises(DataError, match=r"Column 'item_id', row 0: id \d+ is outside 0..4"):
        list(blocks(write(tmp_path / "p.parquet"), layout, 16))


def test_stopping_early_leaves_no_thread(tmp_path: Path) -> None:
    before = threading.active_count()
    stream = blocks(write(tmp_path / "p.parquet"), VM, 16)
    next(stream)
    stream.close()
    assert threading.active_count() == before


def test_an_empty_file_gives_no_block(tmp_path: Path) -> None:
    pq.write_table(table(0), tmp_path / "p")
    assert list(blocks(tmp_path / "p", VM, 16)) == []


def test_a_file_without_a_wanted_column_is_refused(tmp_path: Path) -> None:
    pq.write_table(table(10).drop_columns(["age"]), tmp_path / "p")
    with pytest.raises(DataError, match="p lacks age"):
        next(blocks(tmp_path / "p", VM, 16))
