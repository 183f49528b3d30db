"""Held-back rows kept for small periods: bounded, of present tenants only, in the checkpoint."""

from pathlib import Path

import numpy as np

from exfm_core.data.encode import blocks, foundation_layout
from exfm_core.train import heldback
from exfm_core.train.checkpoints import load_foundation, save_foundation
from exfm_core.train.foundation import FoundationTrainer
from exfm_core.train.foundation_rows import Stream
from exfm_core.train.gate import Limits
from exfm_core.train.heldback import KeptRows
from exfm_core.train.rows import Rows
from tests.exfm_core.train.factories import foundation, partition, schema


def some(root: Path, count: int, period: int, slot: int = 1) -> Rows:
    part = partition(root, count, period, seed=3)
    layout = foundation_layout(foundation().model, schema())
    return Rows.concatenate([Rows.of(block, slot) for block in blocks(root / part.file.uri, layout, 64)])


def test_newest_first_and_bounded(tmp_path: Path) -> None:
    kept, here = KeptRows(), frozenset({0, 1})
    for t in range(12):
        kept.push(some(tmp_path, 20, t), here)
    assert len(kept.periods) == heldback.MAX_PERIODS
    rows, ages = kept.with_newest(some(tmp_path, 5, 12), here)
    assert rows is not None
    assert np.array_equal(np.unique(ages), np.arange(heldback.MAX_PERIODS + 1))
    assert (np.diff([rows.times[ages == age].min() for age in range(9)]) < 0).all()
    kept.push(some(tmp_path, heldback.MAX_ROWS - 30, 13), here)
    assert [len(part) for part in kept.periods] == [heldback.MAX_ROWS - 30, 20]
    kept.push(some(tmp_path, heldback.MAX_ROWS + 1, 14), here)
    assert kept.periods == []


def test_a_tenant_that_is_absent_loses_its_rows(tmp_path: Path) -> None:
    kept = KeptRows()
    kept.push(Rows.concatenate([some(tmp_path, 20, 0, 1), some(tmp_path, 30, 1, 2)]), frozenset({0, 1, 2}))
    rows, _ = kept.with_newest(None, frozenset({0, 2}))
    assert rows is not None
    assert set(rows.slots.tolist()) == {2}
    kept.push(None, frozenset({0, 2}))
    assert [len(part) for part in kept.periods] == [30]
    assert kept.with_newest(None, frozenset({0}))[0] is None


def test_the_checkpoint_holds_them_and_the_next_verdict_is_the_same(tmp_path: Path) -> None:
    def train(trainer: FoundationTrainer, period: int) -> object:
        part = partition(tmp_path, 3000, period, seed=3)
        return trainer.train([Stream(tmp_path / part.file.uri, schema(), 1)], None, Limits()).judgement

    straight = FoundationTrainer(foundation())
    train(straight, 0)
    data = save_foundation(straight.net, straight.optimizer, {}, {}, straight.kept)
    resumed = FoundationTrainer(foundation())
    load_foundation(resumed.net, resumed.optimizer, data, {}, resumed.kept)
    resumed.rows_seen, resumed.slots = straight.rows_seen, straight.slots
    assert [len(rows) for rows in resumed.kept.periods] == [len(rows) for rows in straight.kept.periods] != []
    first, second = train(straight, 1), train(resumed, 1)
    assert first == second
    one = save_foundation(straight.net, straight.optimizer, {}, {}, straight.kept)
    assert one == save_foundation(resumed.net, resumed.optimizer, {}, {}, resumed.kept)


def test_a_checkpoint_without_them_starts_empty() -> None:
    trainer = FoundationTrainer(foundation())
    data = save_foundation(trainer.net, trainer.optimizer, {}, {})
    load_foundation(trainer.net, trainer.optimizer, data, {}, trainer.kept)
    assert trainer.kept.periods == []
