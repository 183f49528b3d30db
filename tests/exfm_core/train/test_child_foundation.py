"""fm.train and das.score through the real child: period, gate, snapshot, label set, no leak."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from exfm_core import events
from tests.exfm_core.train.driver import Child, file
from tests.exfm_core.train.factories import Written, foundation, partition, sha256

GATE = {"tolerance": 0.02, "calibration": [0.8, 1.25]}


def begin(child: Child, prefix: str, resume: dict[str, Any] | None = None) -> None:
    child.start("fm.train", prefix, spec=foundation().to_json(), resume={"fm": resume})
    child.until("ready")


def period(parts: list[dict[str, Any]], current: dict[str, Any] | None = None) -> dict[str, Any]:
    frame = {"start": parts[0]["start"], "end": parts[0]["end"]}
    return {"period": frame, "partitions": parts, "current": current, "gate": GATE}


@pytest.fixture
def parts(tmp_path: Path) -> list[list[Written]]:
    """Three periods of two tenants with different tasks."""
    return [
        [partition(tmp_path, 600, t, seed=1), partition(tmp_path, 300, t, seed=2, task="conversion")]
        for t in range(1, 4)
    ]


def manifest(pair: list[Written]) -> list[dict[str, Any]]:
    return [pair[0].for_foundation(1), pair[1].for_foundation(2, "conversion")]


def train(child: Child, seq: int, pair: list[Written], current: dict[str, Any] | None = None) -> dict[str, Any]:
    child.send("work", seq=seq, **period(manifest(pair), current))
    return child.until("done")


def test_train_publish_score_and_resume(tmp_path: Path, parts: list[list[Written]]) -> None:
    with Child(tmp_path) as child:
        begin(child, "runs/fm/1")
        first = train(child, 1, parts[0])
        child.send("ack", seq=1)
        second = train(child, 2, parts[1], {"id": "s1", "file": file(first["snapshot"])})
        child.send("ack", seq=2)
        child.send("finish")
        child.until("stopped")
    done = events.decode_event(json.dumps(second), "fm.train")
    assert isinstance(done, events.FmDone)
    assert done.rows + done.heldback == 900
    assert 0 < done.heldback < 60
    assert done.watermark == parts[1][0].end
    assert done.gate.decision == "publish"
    assert {(head.tenant_slot, head.task) for head in done.gate.heads} == {
        (0, "click"),
        (1, "click"),
        (0, "conversion"),
        (2, "conversion"),
    }
    assert any(head.ne_current is not None for head in done.gate.heads)
    assert sha256(tmp_path / done.snapshot.uri) == done.snapshot.sha256

    with Child(tmp_path) as child:
        begin(child, "runs/fm/2", file(first["checkpoint"]))
        again = train(child, 2, parts[1], {"id": "s1", "file": file(first["snapshot"])})
    assert again["checkpoint"]["sha256"] == second["checkpoint"]["sha256"]
    assert again["snapshot"]["sha256"] == second["snapshot"]["sha256"]

    with Child(tmp_path) as child:
        child.start("das.score", "runs/das/1")
        child.until("ready")
        snapshot = {"id": "s2", "file": file(second["snapshot"]), "watermark": done.watermark}
        child.send("work", seq=1, partition=manifest(parts[2])[0], snapshot=snapshot)
        scored = child.until("done")
        table = pq.read_table(tmp_path / scored["labels"]["uri"])
        assert (table.column_names, table.num_rows) == (["click"], 600)
        assert sum(scored["sums"]["click"]["n"]) == 600
        child.send("ack", seq=1)
        # The snapshot's own record counts, not only what the command says: a lying watermark does not help.
        lie = snapshot | {"watermark": parts[0][0].start}
        child.send("work", seq=2, partition=manifest(parts[1])[0], snapshot=lie)
        while (event := child.next())["type"] == "progress":
            pass
        assert (event["code"], event["fault"]) == ("das.leak", "platform")
        assert child.wait() == 1


def test_stop_while_training(tmp_path: Path) -> None:
    big = partition(tmp_path, 60_000, 1)
    with Child(tmp_path) as child:
        begin(child, "runs/fm/1")
        child.send("work", seq=1, **period([big.for_foundation(1)]))
        child.until("progress")
        child.send("stop", reason="preempted")
        assert child.until("stopped")["reason"] == "preempted"
        assert child.wait() == 0
    assert not (tmp_path / "runs").exists()
