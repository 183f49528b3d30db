"""The union of streams: time order, nothing lost, unseen tenants, held-back users."""

from pathlib import Path

import numpy as np

from exfm_core.data.hashing import held_back
from exfm_core.spec import StreamSchema
from exfm_core.train.foundation import FoundationTrainer
from exfm_core.train.foundation_rows import Stream, forget_tenants, known_tenants, merge, with_tenant
from exfm_core.train.gate import Limits
from exfm_core.train.rows import Cutter, Rows
from tests.exfm_core.train.factories import foundation, partition, rows, schema


def streams(root: Path) -> list[Stream]:
    found = []
    for slot, (count, task) in enumerate([(500, "click"), (300, "conversion"), (7, "click")], 1):
        part = partition(root, count, 1, seed=slot, task=task)
        found.append(Stream(root / part.file.uri, schema(task), slot))
    return found


def union(root: Path) -> Rows:
    return Rows.concatenate(list(merge(streams(root), foundation().model)))


def test_merges_in_time_order_and_loses_nothing(tmp_path: Path) -> None:
    merged = union(tmp_path)
    assert len(merged) == 807
    assert (np.diff(merged.times) >= 0).all()
    assert np.bincount(merged.slots).tolist() == [0, 500, 300, 7]
    for slot, task, column in ((1, "click", 0), (2, "conversion", 1)):
        expected = rows({1: 500, 2: 300}[slot], 1, slot, task)[task].to_numpy()
        mine = merged.labels[merged.slots == slot]
        assert np.array_equal(mine[:, column], expected)
        assert np.isnan(mine[:, 1 - column]).all()


def test_bags_follow_their_rows(tmp_path: Path) -> None:
    merged = union(tmp_path)
    third = next(i for i, feature in enumerate(foundation().model.features) if feature.name == "recent")
    lengths = np.diff(merged.offsets[third])[merged.slots == 1]
    expected = [len(ids) for ids in rows(500, 1, 1)["recent"].to_pylist()]
    assert lengths.tolist() == expected


def test_a_feature_that_a_stream_lacks_is_an_empty_bag(tmp_path: Path) -> None:
    full = schema()
    poorer = StreamSchema(tuple(f for f in full.features if f.name != "recent"), full.tasks)
    part = partition(tmp_path, 20, 1)
    merged = Rows.concatenate(list(merge([Stream(tmp_path / part.file.uri, poorer, 1)], foundation().model)))
    place = [f.name for f in foundation().model.features if f.sparse].index("recent")
    assert merged.offsets[place].tolist() == [0] * 21


def test_tenant_bag_is_empty_for_the_unseen(tmp_path: Path) -> None:
    merged = known_tenants(union(tmp_path), 3)
    assert set(merged.slots.tolist()) == {0, 1, 2}
    forgotten = forget_tenants(merged, 0)
    assert (forgotten.slots[15::16] == 0).all()
    tenant = with_tenant(forgotten)
    assert np.array_equal(np.diff(tenant.offsets[-1]), (forgotten.slots > 0).astype(int))
    inputs = Cutter(tenant).inputs(3, 40)
    bags = inputs.offsets.diff().view(-1, 37)[-1]
    assert bags.tolist() == (forgotten.slots[3:40] > 0).astype(int).tolist()


def test_the_order_of_training_does_not_depend_on_how_rows_are_cut(tmp_path: Path) -> None:
    merged = union(tmp_path)
    half = Rows.concatenate([merged.take(np.arange(100)), merged.take(np.arange(100, 807))])
    for name in ("dense", "labels", "times", "slots"):
        assert np.array_equal(getattr(half, name), getattr(merged, name), equal_nan=name == "labels")
    for left, right in zip(half.values, merged.values, strict=True):
        assert np.array_equal(left, right)


def test_held_back_users_are_never_trained_on(tmp_path: Path) -> None:
    """Their rows may change at will: the trained weights do not."""
    import pyarrow as pa
    import torch

    from exfm_core.data.partitions import write_partition

    table = rows(2000, 1)
    held = held_back(table["user_id"].to_numpy())
    assert 0 < held.sum() < 200
    flipped = np.where(held, 1 - table["click"].to_numpy(), table["click"].to_numpy()).astype(np.int8)
    other = table.set_column(table.column_names.index("click"), "click", pa.array(flipped))
    weights = []
    for name, content in (("a", table), ("b", other)):
        write_partition(tmp_path / name, content, schema())
        trainer = FoundationTrainer(foundation())
        outcome = trainer.train([Stream(tmp_path / name, schema(), 1)], None, Limits())
        assert outcome.heldback == held.sum()
        weights.append(trainer.net.tables.state() | dict(trainer.net.named_parameters()))
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])
