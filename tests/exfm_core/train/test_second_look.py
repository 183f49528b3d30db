"""A published snapshot is looked at again on the period it labelled: a regression takes it back."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from exfm_core.das.snapshots import Snapshot, load_snapshot, save_snapshot
from exfm_core.das.store import SnapshotStore
from exfm_core.models.foundation import FoundationNet
from exfm_core.train import gate
from exfm_core.train import run as runs
from exfm_core.train.foundation_rows import Stream
from exfm_core.train.gate import Judgement, Limits
from exfm_core.train.journal import Journal
from exfm_core.train.second_look import held_back, second_look
from tests.exfm_core.train.factories import ORIGIN, foundation, partition, schema
from tests.exfm_core.train.test_run import as_before, spec, streams, without_times

__all__ = ["as_before"]


def snapshot(shift: float) -> Snapshot:
    net = FoundationNet(foundation(), "plain")
    with torch.no_grad():
        net.tenant_bias.fill_(shift)
    return load_snapshot(save_snapshot(net, foundation(), ORIGIN.isoformat(), frozenset({1})), "plain")


def reads(root: Path, count: int = 30_000) -> list[Stream]:
    return [Stream(root / partition(root, count, 1, seed=3).file.uri, schema(), 1)]


def test_it_sees_held_back_rows_alone_and_says_what_regressed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "MIN_BUCKETS", 3)  # the stream has 400 users, of whom some eight are held back
    rows = held_back(reads(tmp_path), foundation().model)
    assert rows is not None
    assert rows.held_back.all()
    assert 0 < len(rows) < 1500
    wide = Limits(calibration=(0.0, 1e9))
    rate = float(np.nanmean(rows.labels[:, 0]))
    good = float(np.log(rate / (1 - rate)))
    verdict = second_look(snapshot(good + 2), snapshot(good), reads(tmp_path), wide)
    assert verdict.decision == "reject"
    assert {head.n for head in verdict.heads if head.task == "click"} == {len(rows)}
    assert second_look(snapshot(good), snapshot(good + 2), reads(tmp_path), wide).decision == "publish"


def test_a_run_takes_a_snapshot_back_once_and_goes_on_with_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams(tmp_path, {"click": 500, "conversion": 300}, periods=4)

    def regresses(newest: Snapshot, before: Snapshot, streams: list[Stream], limits: Limits) -> Judgement:
        late = newest.watermark > before.watermark and newest.watermark.startswith("2026-01-01T02")
        return Judgement("reject" if late else "publish", "worse on the period it labelled")

    monkeypatch.setattr(runs, "second_look", regresses)
    runs.run(spec(), tmp_path / "whole", base=tmp_path)
    moves = SnapshotStore(tmp_path / "whole/store", "plain").history()
    assert [move.action for move in moves] == ["publish", "publish", "rollback", "publish", "publish"]
    assert moves[2].snapshot == moves[0].snapshot
    real = Journal.commit

    def dies(self: Any, unit: str, states: dict[str, bytes], measured: dict[str, Any]) -> Any:
        if measured.get("taken_back"):
            raise KeyboardInterrupt
        return real(self, unit, states, measured)

    monkeypatch.setattr(Journal, "commit", dies)
    with pytest.raises(KeyboardInterrupt):
        runs.run(spec(), tmp_path / "cut", base=tmp_path)
    monkeypatch.setattr(Journal, "commit", real)
    runs.run(spec(), tmp_path / "cut", base=tmp_path)
    assert without_times(tmp_path / "cut") == without_times(tmp_path / "whole")
