"""Starters and the pooled reference: from others' streams alone, of one shape, and worth beginning from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from exfm_core.errors import CheckpointError, SpecError
from exfm_core.metrics.sums import normalized_entropy
from exfm_core.spec import StreamSchema, Supervision
from exfm_core.train.arms import Arm
from exfm_core.train.local import LocalPartition, study
from exfm_core.train.shared import SharedTrainer, shared_layout, whole_batches
from exfm_core.train.starters import pooled_reference, train_starter
from exfm_core.train.vertical import VerticalTrainer
from tests.exfm_core.train.factories import HOUR, ORIGIN, foundation, partition, schema, vertical

SPEC = vertical(Supervision("safe", aux_width=16))
WARM = Arm("warm", starter=True, dense_lr_scale=0.5)


def parts(root: Path, count: int, periods: range) -> list[LocalPartition]:
    """Partitions of one world (seed 5): clicks depend on item, age and the last item seen."""
    found = []
    for t in periods:
        part, start = partition(root, count, t, seed=5), ORIGIN + t * HOUR
        found.append(LocalPartition(root / part.file.uri, part.rows, start, start + HOUR))
    return found


def starter(root: Path) -> bytes:
    periods = [{"other": part} for part in parts(root, 4000, range(2))]
    return train_starter(SPEC, schema(), {"other": schema()}, periods)


def test_a_starter_is_the_largest_lever_of_a_new_model(tmp_path: Path) -> None:
    found = study(
        SPEC,
        schema(),
        parts(tmp_path, 500, range(2, 4)),
        [None, None],
        arms=["control", WARM, Arm("reset", starter=True)],
        starter=starter(tmp_path),
    )
    gain = found.lift("warm")
    assert gain.value is not None
    assert gain.low is not None
    assert gain.low > 3.0


def test_accumulators_are_kept_and_heads_begin_anew(tmp_path: Path) -> None:
    data = starter(tmp_path)
    trainer = VerticalTrainer(SPEC, schema(), ["control", WARM], starter=data)
    warm, cold = trainer.students["warm"], trainer.students["control"]
    assert float(warm.net.tables.kernel.states[0].sum()) > 0
    assert float(cold.net.tables.kernel.states[0].sum()) == 0
    assert not warm.optimizer.state
    again = VerticalTrainer(SPEC, schema(), [WARM], starter=data).students["warm"]
    for one, other in zip(warm.net.tables.state().values(), again.net.tables.state().values(), strict=True):
        assert torch.equal(one, other)


def test_only_a_starter_of_the_same_shape_fits(tmp_path: Path) -> None:
    data = starter(tmp_path)
    other = replace(SPEC, model=replace(SPEC.model, mlp=(16, 16)))
    with pytest.raises(CheckpointError, match="mlp differ"):
        VerticalTrainer(other, schema(), [WARM], starter=data)
    with pytest.raises(CheckpointError) as damaged:
        VerticalTrainer(SPEC, schema(), [WARM], starter=data[:200])
    assert damaged.value.code == "checkpoint.damaged"
    with pytest.raises(SpecError, match="none was given"):
        VerticalTrainer(SPEC, schema(), [WARM])


def test_another_tenants_private_columns_are_not_read() -> None:
    own = schema()
    other = StreamSchema(tuple(f for f in own.features if f.name != "age"), own.tasks, user_key="user_id")
    columns = {item.table.name: item.column for item in shared_layout(SPEC, own, other).inputs}
    assert columns == {"item_id": "item_id", "recent": "recent", "placement": None, "age": None}
    assert {item.column for item in shared_layout(SPEC, own, own).inputs} == {"item_id", "recent", "placement", "age"}


def test_streams_that_cannot_teach_are_refused() -> None:
    with pytest.raises(SpecError, match="no task of kind 'click'"):
        shared_layout(SPEC, schema(), schema("conversion"))
    own = schema()
    wrong = StreamSchema(
        (replace(own.features[1], kind="dense", buckets=0), *own.features[2:]), own.tasks, user_key=None
    )
    with pytest.raises(SpecError, match="same kind and range"):
        shared_layout(SPEC, own, wrong)
    with pytest.raises(SpecError):
        SharedTrainer(SPEC, own, {})


def test_the_pooled_reference_measures_each_stream_on_its_own_rows(tmp_path: Path) -> None:
    big, small = parts(tmp_path / "big", 3000, range(3)), parts(tmp_path / "small", 300, range(3))
    periods = [{"big": one, "small": two} for one, two in zip(big, small, strict=True)]
    sums = pooled_reference(SPEC, schema(), {"big": schema(), "small": schema()}, periods)
    assert [found["small"].rows for found in sums] == [300] * 3
    alone = study(SPEC, schema(), small, [None] * 3, arms=["control"])
    for found, outcome in zip(sums, alone.outcomes, strict=True):
        assert np.array_equal(found["small"].y, outcome.arms["control"].all.y)
    pooled, own = (
        normalized_entropy(sums[-1]["small"]).value,
        normalized_entropy(alone.outcomes[-1].arms["control"].all).value,
    )
    assert pooled is not None
    assert own is not None
    assert pooled < own


def test_batches_are_whole_and_lose_nothing(tmp_path: Path) -> None:
    from exfm_core.data.encode import foundation_layout
    from exfm_core.train.foundation_rows import Stream, merge_as

    first, second = parts(tmp_path / "a", 700, range(1)), parts(tmp_path / "b", 130, range(1))
    layout = foundation_layout(foundation().model, schema())
    streams = [Stream(part.open(), schema(), slot) for slot, part in enumerate((*first, *second))]
    sizes = [len(rows) for rows in whole_batches(merge_as([layout, layout], streams), 64)]
    assert sum(sizes) == 830
    assert all(size % 64 == 0 for size in sizes[:-1])
