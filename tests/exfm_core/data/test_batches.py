"""Batches hold the file's rows, in order, whatever the row groups and wherever reading starts."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from exfm_core.data import hashing
from exfm_core.data.batches import Batch, iterate
from exfm_core.data.encode import Layout, foundation_layout, vertical_layout
from exfm_core.errors import DataError
from exfm_core.spec import Feature, FoundationModel, VerticalModel

from .rows import schema, table

VM = vertical_layout(VerticalModel(("item_id", "recent", "age", "hour"), "click"), schema())


def write(path: Path, count: int = 1000, group: int = 300) -> Path:
    pq.write_table(table(count), path, row_group_size=group)
    return path


def same(one: Batch, other: Batch) -> bool:
    tensors = ("values", "lengths", "offsets", "dense", "labels", "user_buckets", "held_back")
    return one.first_row == other.first_row and all(
        torch.equal(getattr(one, name), getattr(other, name)) for name in tensors
    )


def test_batches_agree_with_a_row_by_row_reading(tmp_path: Path) -> None:
    source = table(1000).to_pylist()
    batches = list(iterate(write(tmp_path / "p.parquet"), VM, 128))
    assert [batch.rows for batch in batches] == [128] * 7 + [104]
    assert batches[0].keys == ("item_id", "recent", "hour")
    for batch in batches:
        bags = torch.tensor_split(batch.values, batch.offsets[1:-1])
        for i in range(batch.rows):
            row = source[batch.first_row + i]
            ids = {"item_id": [row["item_id"]], "recent": row["recent"], "hour": [row["hour"]]}
            for f, name in enumerate(batch.keys):
                want = hashing.embedding_rows(np.array(ids[name], np.int64), 50, True) if name != "hour" else ids[name]
                assert bags[f * batch.rows + i].tolist() == list(want)
                assert batch.lengths[f * batch.rows + i] == len(want)
            assert batch.dense[i, 0].item() == row["age"]
            assert batch.labels[i, 0].item() == row["clicked"]
    keys = table(1000).column("user_id").to_numpy()
    assert torch.cat([batch.held_back for batch in batches]).numpy().tolist() == hashing.held_back(keys).tolist()
    assert torch.cat([batch.user_buckets for batch in batches]).tolist() == hashing.user_buckets(keys).tolist()


def test_batches_do_not_depend_on_row_groups(tmp_path: Path) -> None:
    small, whole = write(tmp_path / "a", group=77), write(tmp_path / "b", group=1000)
    pairs = zip(iterate(small, VM, 64), iterate(whole, VM, 64), strict=True)
    assert all(same(one, other) for one, other in pairs)


@pytest.mark.parametrize("start", [128, 256, 896])
def test_reading_resumes_at_a_row(tmp_path: Path, start: int) -> None:
    path = write(tmp_path / "p.parquet")
    tail = [batch for batch in iterate(path, VM, 128) if batch.first_row >= start]
    assert all(same(one, other) for one, other in zip(iterate(path, VM, 128, start), tail, strict=True))


def test_foundation_layout_fills_what_the_stream_lacks(tmp_path: Path) -> None:
    features = (
        Feature("device", buckets=9),
        Feature("item_id", buckets=7),
        Feature("hour", buckets=24, hashed=False),
        Feature("price", kind="dense"),
        Feature("age", kind="dense"),
    )
    layout = foundation_layout(FoundationModel(features, ("like", "conversion")), schema())
    batch = next(iterate(write(tmp_path / "p.parquet"), layout, 16))
    assert batch.keys == ("device", "item_id", "hour")
    assert batch.lengths.reshape(3, 16).sum(1).tolist() == [0, 16, 16]
    assert batch.dense[:, 0].abs().sum() == 0 and batch.dense[:, 1].abs().sum() > 0
    assert torch.isnan(batch.labels[:, 0]).all()
    assert batch.labels[:, 1].tolist() == table(1000).column("bought").to_pylist()[:16]


def test_a_stream_without_users_is_bucketed_by_time(tmp_path: Path) -> None:
    plain = table(500, user_key=None)
    pq.write_table(plain, tmp_path / "p")
    layout = vertical_layout(VerticalModel(("item_id",), "click"), schema(None))
    buckets = torch.cat([batch.user_buckets for batch in iterate(tmp_path / "p", layout, 100)])
    assert 2 <= len(buckets.unique()) <= 5


def test_an_unhashed_id_outside_its_table_is_an_error_with_its_row(tmp_path: Path) -> None:
    small = Layout(
        schema(),
        foundation_layout(
            FoundationModel(
                (Feature("item_id", buckets=5, hashed=False), Feature("hour", buckets=24), Feature("age", kind="dense"))
            ),
            schema(),
        ).inputs,
        ("clicked",),
    )
    with pytest.raises(DataError, match=r"Column 'item_id', row 0: id \d+ is outside 0..4"):
        list(iterate(write(tmp_path / "p.parquet"), small, 16))


def test_stopping_early_leaves_no_thread(tmp_path: Path) -> None:
    import threading

    before = threading.active_count()
    stream = iterate(write(tmp_path / "p.parquet"), VM, 16)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


def test_an_empty_file_gives_no_batch(tmp_path: Path) -> None:
    pq.write_table(table(0), tmp_path / "p")
    assert list(iterate(tmp_path / "p", VM, 16)) == []
