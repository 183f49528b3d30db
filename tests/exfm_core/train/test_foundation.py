"""The foundation trainer: corrupt candidates, another architecture, zero-shot tenants."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from exfm_core.das.scorer import score
from exfm_core.das.snapshots import Snapshot, load_snapshot, save_snapshot
from exfm_core.train.foundation import FoundationTrainer
from exfm_core.train.foundation_rows import Stream
from exfm_core.train.gate import Limits
from tests.exfm_core.train.factories import ORIGIN, foundation, partition, schema


def stream(root: Path, count: int = 2000, slot: int = 1, period: int = 1) -> Stream:
    part = partition(root, count, period, seed=7)
    return Stream(root / part.file.uri, schema(), slot)


def snapshot_of(trainer: FoundationTrainer) -> Snapshot:
    return load_snapshot(save_snapshot(trainer.net, trainer.spec, ORIGIN.isoformat(), trainer.slots))


def test_a_weight_that_is_not_finite_is_corrupt(tmp_path: Path) -> None:
    trainer = FoundationTrainer(foundation())
    with torch.no_grad():
        trainer.net.tables.kernel.weights[1][3, 0] = float("inf")
    outcome = trainer.train([stream(tmp_path)], None, Limits())
    assert outcome.judgement.decision == "corrupt"


def test_a_snapshot_of_another_architecture_is_not_compared(tmp_path: Path) -> None:
    old = FoundationTrainer(foundation())
    old.train([stream(tmp_path)], None, Limits())
    spec = foundation()
    wider = replace(spec, model=replace(spec.model, embedding_dim=12))
    outcome = FoundationTrainer(wider).train([stream(tmp_path)], snapshot_of(old), Limits())
    assert all(head.ne_current is None for head in outcome.judgement.heads)


def test_a_tenant_without_history_is_served_by_the_tasks_head(tmp_path: Path) -> None:
    """What the FM learnt on tenant 1 serves tenant 3, of which it has never seen a row."""
    trainer = FoundationTrainer(foundation())
    trainer.train([stream(tmp_path, 8000)], None, Limits())
    newcomer = partition(tmp_path, 2000, 3, seed=7)
    scored = score(snapshot_of(trainer), tmp_path / newcomer.file.uri, schema(), 3)
    sums = scored.sums["click"]
    rate = sums.y.sum() / sums.n.sum()
    entropy = -(rate * np.log(rate) + (1 - rate) * np.log(1 - rate))
    assert sums.loss.sum() / sums.n.sum() / entropy < 0.97


def test_two_threads_are_deterministic_too(tmp_path: Path) -> None:
    found = []
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        for _ in range(2):
            trainer = FoundationTrainer(foundation())
            trainer.train([stream(tmp_path, 4000)], None, Limits())
            found.append(save_snapshot(trainer.net, trainer.spec, ORIGIN.isoformat(), trainer.slots))
    finally:
        torch.set_num_threads(before)
    assert found[0] == found[1]
