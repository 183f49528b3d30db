"""Managed features in training: rows that change hands start again in every arm, and the state travels."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from exfm_core.das.scorer import score
from exfm_core.das.snapshots import load_snapshot, save_snapshot
from exfm_core.data.idmap import initial_rows
from exfm_core.data.partitions import write_partition
from exfm_core.models.embeddings import INITIAL_SPREAD
from exfm_core.models.inputs import Inputs
from exfm_core.spec import FoundationSpec, StreamSchema
from exfm_core.train import checkpoints
from exfm_core.train.arms import Arm
from exfm_core.train.foundation import FoundationTrainer
from exfm_core.train.foundation_rows import Stream
from exfm_core.train.gate import Limits
from exfm_core.train.starters import KIND as STARTER
from exfm_core.train.starters import save_starter
from exfm_core.train.tensors import unpack
from exfm_core.train.vertical import VerticalTrainer
from tests.exfm_core.train.factories import foundation, rows, schema, vertical

ROWS = 70
ARMS = ("control", "treatment")


def managed(body: StreamSchema, buckets: int = ROWS) -> StreamSchema:
    """The factories' schema, its items and item lists managed."""
    names = ("item_id", "recent")
    features = [
        replace(f, hashed=False, managed=True, buckets=buckets) if f.name in names else f for f in body.features
    ]
    return replace(body, features=tuple(features))


def churning(period: int, count: int = 500) -> pa.Table:
    """Items of which half are new every period."""
    table = rows(count, period)
    for name in ("item_id", "recent"):
        column = table.column(name).combine_chunks()
        shifted = (
            pa.array(column.to_numpy() + 20 * period)
            if name == "item_id"
            else pa.array([[one + 20 * period for one in bag] for bag in column.to_pylist()], pa.list_(pa.int64()))
        )
        table = table.set_column(table.column_names.index(name), name, shifted)
    return table


def train(trainer: VerticalTrainer, folder: Path, period: int) -> np.ndarray:
    write_partition(folder / f"{period}", churning(period), schema())
    logits = np.random.default_rng(period).normal(size=500).astype(np.float32)
    outcome = trainer.train(folder / f"{period}", 500, logits, True)
    return np.array([outcome.arms[arm].all.loss.sum() for arm in ARMS])


def state(trainer: VerticalTrainer, arm: str) -> dict[str, torch.Tensor]:
    net = trainer.students[arm].net
    assert net.tables.managed is not None
    return net.tables.state() | net.tables.managed.state() | dict(net.named_parameters())


@pytest.mark.parametrize("backend", ["fused", "plain"])
def test_a_row_that_changes_hands_starts_again_in_every_arm(backend: str) -> None:
    trainer = VerticalTrainer(vertical(), managed(schema(), 8), ARMS, backend)  # type: ignore[arg-type]
    sparse = 3
    dense = torch.zeros(8, 1)

    def batch(items: list[int]) -> Inputs:
        ids = torch.tensor([*items, *items, *([0] * 8)])
        return Inputs(ids, torch.arange(sparse * 8 + 1), dense)

    first, second = list(range(100, 108)), list(range(200, 208))
    spec = vertical()
    for arm in ARMS:
        student = trainer.students[arm]
        for _ in range(3):
            student.step(batch(first), torch.ones(8))
        tables = student.net.tables
        assert (tables.kernel.states[0] > 0).all()
        tables.admit(batch(second))
        for place, name in enumerate(("item_id", "recent")):
            start = initial_rows(np.array(second), spec.model.embedding_dim, spec.seed, name, INITIAL_SPREAD)
            assert np.array_equal(tables.kernel.weights[place].numpy(), start)
            assert (tables.kernel.states[place] == 0).all()
        tables.admit(batch(first))  # they come back as strangers
        start = initial_rows(np.array(first), spec.model.embedding_dim, spec.seed, "item_id", INITIAL_SPREAD)
        assert np.array_equal(tables.kernel.weights[0].numpy(), start)


def test_resumed_training_is_bit_exact_while_ids_come_and_go(tmp_path: Path) -> None:
    whole = VerticalTrainer(vertical(), managed(schema()), ARMS)
    for period in (1, 2):
        train(whole, tmp_path, period)
    resumed = VerticalTrainer(vertical(), managed(schema()), ARMS)
    for arm in ARMS:
        data = checkpoints.save_student(whole.students[arm], {"arm": arm}, {})
        checkpoints.load_student(resumed.students[arm], data, {"arm": arm})
    for period in (3, 4):
        assert np.array_equal(train(whole, tmp_path, period), train(resumed, tmp_path, period))
    for arm in ARMS:
        assert all(torch.equal(value, state(resumed, arm)[name]) for name, value in state(whole, arm).items())
        maps = whole.students[arm].net.tables.managed
        assert maps is not None and min(maps.maps[0].state()["ids"]) >= 40, "the oldest items gave their rows up"


def test_which_row_an_id_gets_does_not_matter(tmp_path: Path) -> None:
    """With room for all ids the losses are the same, bit by bit, whoever came before."""
    losses = []
    for strangers in (False, True):
        trainer = VerticalTrainer(vertical(), managed(schema(), 300), ARMS)
        if strangers:  # other rows for the same ids
            maps = trainer.students["control"].net.tables.managed
            assert maps is not None
            maps.maps[0].admit(np.arange(10_000, 10_050))
        losses.append([train(trainer, tmp_path, period) for period in (1, 2)])
    assert np.array_equal(losses[0], losses[1])


def teacher() -> FoundationSpec:
    spec = foundation(("click",))
    features = [replace(f, hashed=False, managed=True, buckets=ROWS) if f.sparse else f for f in spec.model.features]
    return replace(spec, model=replace(spec.model, features=tuple(features)))


def test_a_snapshot_knows_its_ids_and_scores_a_stranger_as_an_empty_bag(tmp_path: Path) -> None:
    trainer = FoundationTrainer(teacher())
    for period in (1, 2):
        write_partition(tmp_path / f"{period}", churning(period), schema())
        trainer.train([Stream(tmp_path / f"{period}", schema(), 1)], None, Limits())
    snapshot = load_snapshot(save_snapshot(trainer.net, trainer.spec, "2026-01-01T02:00:00+00:00", frozenset({1})))
    table = churning(2, 40)
    strange = {"item_id": pa.array(np.arange(40) + 10**12), "recent": pa.array([[10**12]] * 40)}
    empty = schema()
    empty = replace(empty, features=tuple(f for f in empty.features if f.name not in strange))
    unknown = table
    for name, column in strange.items():
        unknown = unknown.set_column(unknown.column_names.index(name), name, column)
    found = {}
    for name, content, body in (("known", table, schema()), ("unknown", unknown, schema()), ("none", table, empty)):
        write_partition(tmp_path / name, content, body)
        found[name] = score(snapshot, tmp_path / name, body, 1).logits["click"]
    assert np.array_equal(found["unknown"], found["none"])
    assert not np.array_equal(found["known"], found["none"])
    before = trainer.net.tables.state()["item_id.weight"]
    assert torch.equal(snapshot.net.tables.state()["item_id.weight"], before), "scoring admits nobody"


def test_a_resumed_foundation_model_goes_on_alike(tmp_path: Path) -> None:
    whole, resumed = FoundationTrainer(teacher()), FoundationTrainer(teacher())
    for period in (1, 2):
        write_partition(tmp_path / f"{period}", churning(period), schema())
    whole.train([Stream(tmp_path / "1", schema(), 1)], None, Limits())
    data = checkpoints.save_foundation(whole.net, whole.optimizer, {}, {})
    checkpoints.load_foundation(resumed.net, resumed.optimizer, data, {})
    resumed.rows_seen = whole.rows_seen
    for trainer in (whole, resumed):
        trainer.train([Stream(tmp_path / "2", schema(), 1)], None, Limits())
    left, right = (t.net.tables.state() | t.net.tables.managed.state() for t in (whole, resumed))  # type: ignore[union-attr]
    assert all(torch.equal(left[name], right[name]) for name in left)


def test_a_starter_carries_nobodys_ids(tmp_path: Path) -> None:
    body, arms = managed(schema()), (Arm("control"), Arm("started", starter=True))
    teacher_of_all = VerticalTrainer(vertical(), body, ("control",))
    write_partition(tmp_path / "p", churning(1), schema())
    teacher_of_all.train(tmp_path / "p", 500, None, True)
    data = save_starter(teacher_of_all.students["control"], vertical(), body)
    _, tensors = unpack(data, STARTER)
    assert not any(name.startswith("ids.") for name in tensors)
    newcomer = VerticalTrainer(vertical(), body, arms, starter=data).students["started"].net
    assert newcomer.tables.managed is not None and len(newcomer.tables.managed.maps[0]) == 0
    ids = torch.arange(8) + 20
    newcomer.tables.admit(
        Inputs(torch.cat([ids, ids, torch.zeros(8, dtype=torch.int64)]), torch.arange(25), ids[:, None])
    )
    start = initial_rows(ids.numpy(), 8, vertical().seed, "item_id", INITIAL_SPREAD)
    assert np.array_equal(newcomer.tables.kernel.weights[0][:8].numpy(), start)
