"""vm.train through the real child: what it reports, and that a kill costs nothing but time."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exfm_core import events
from exfm_core.das.labels import Provenance, write_labels
from exfm_core.train.storage import Storage
from tests.exfm_core.train.driver import Child, file
from tests.exfm_core.train.factories import ORIGIN, Written, partition, schema, sha256, vertical

ARMS = ["control", "treatment"]


def label_set(root: Path, part: Written, seed: int = 0) -> dict[str, Any]:
    logits = np.random.default_rng(seed).normal(size=part.rows).astype(np.float32)
    logits[::5] = np.nan
    watermark = ORIGIN.isoformat()
    provenance = Provenance("s1", "0" * 64, watermark, part.id, part.file.sha256, 1, watermark)
    with Storage(f"file://{root}") as storage:
        written = storage.write("labels", 1, ".parquet", write_labels({"click": logits}, provenance))
    reference = {"uri": written.uri, "sha256": written.sha256, "bytes": written.bytes}
    return {"file": reference, "snapshot": "s1", "watermark": watermark, "task": "click"}


def begin(child: Child, prefix: str = "runs/r/1", resume: dict[str, Any] | None = None, **body: Any) -> None:
    child.start(
        "vm.train",
        prefix,
        spec=vertical().to_json(),
        schema=schema().to_json(),
        arms=ARMS,
        resume=resume or dict.fromkeys(ARMS),
        **body,
    )
    assert child.until("ready")["threads"] == 1


def work(child: Child, seq: int, part: Written, labels: dict[str, Any] | None, gate: str = "open") -> dict[str, Any]:
    child.send("work", seq=seq, partition=part.body(), labels=labels, gate=gate)
    return child.until("done")


def checkpoints(done: dict[str, Any]) -> dict[str, str]:
    return {arm: done["arms"][arm]["checkpoint"]["sha256"] for arm in ARMS}


@pytest.fixture
def parts(tmp_path: Path) -> list[Written]:
    return [partition(tmp_path, 500, period) for period in range(1, 4)]


def test_reports_what_happened(tmp_path: Path, parts: list[Written]) -> None:
    with Child(tmp_path) as child:
        begin(child)
        child.send("work", seq=1, partition=parts[0].body(), labels=label_set(tmp_path, parts[0]), gate="open")
        progress: list[dict[str, Any]] = []
        done = child.until("done", progress.append)
        child.send("finish")
        child.send("ack", seq=1)
        assert child.until("stopped")["reason"] == "finish"
        assert child.wait() == 0
        assert "ready: vm.train" in child.log()
    parsed = events.decode_event(json.dumps(done), "vm.train")
    assert isinstance(parsed, events.VmDone)
    assert (parsed.rows, parsed.covered, parsed.batches) == (500, 400, 8)
    assert progress and progress[-1]["rows"] == 500
    for arm in ARMS:
        result = parsed.arms[arm]
        assert sum(result.all.n) == 500
        assert sum(result.covered.n) == 400
        path = tmp_path / result.checkpoint.uri
        assert sha256(path) == result.checkpoint.sha256
        assert path.name == f"1-{result.checkpoint.sha256}.safetensors"
        assert result.seconds > 0
    assert parsed.label is not None
    assert sum(parsed.label.n) == 400
    assert parsed.arms["control"].all.y == parsed.arms["treatment"].all.y
    assert parsed.arms["control"].all.loss != parsed.arms["treatment"].all.loss


def test_kill_in_mid_partition_costs_nothing_but_time(tmp_path: Path, parts: list[Written]) -> None:
    """Killed in the second of three partitions, resumed from the first one's commit: the same bits as undisturbed."""
    labels = [label_set(tmp_path, part) for part in parts]
    with Child(tmp_path) as child:
        begin(child, "runs/calm/1")
        calm = [work(child, 1, parts[0], labels[0])]
        # Work may be sent ahead, but is not begun before the acknowledgement: the next event after it is of work 2.
        child.send("work", seq=2, partition=parts[1].body(), labels=labels[1], gate="open")
        child.send("ack", seq=1)
        assert child.next()["seq"] == 2
        calm.append(child.until("done"))
        child.send("ack", seq=2)
        calm.append(work(child, 3, parts[2], labels[2]))
    with Child(tmp_path) as child:
        begin(child, "runs/killed/1")
        first = work(child, 1, parts[0], labels[0])
        child.send("ack", seq=1)
        child.send("work", seq=2, partition=parts[1].body(), labels=labels[1], gate="open")
        child.until("progress")
        child.kill()
    assert all(path.name.startswith("1-") for path in (tmp_path / "runs/killed/1").iterdir())
    with Child(tmp_path) as child:
        begin(child, "runs/killed/2", {arm: file(first["arms"][arm]["checkpoint"]) for arm in ARMS})
        again = [work(child, 2, parts[1], labels[1])]
        child.send("ack", seq=2)
        again.append(work(child, 3, parts[2], labels[2]))
    for undisturbed, resumed in zip(calm[1:], again, strict=True):
        assert checkpoints(undisturbed) == checkpoints(resumed)
        for arm in ARMS:
            for figure in ("all", "covered", "auc", "histogram"):
                assert undisturbed["arms"][arm][figure] == resumed["arms"][arm][figure]


def test_stop_in_mid_partition_discards_it(tmp_path: Path, parts: list[Written]) -> None:
    big = partition(tmp_path, 60_000, 9)
    with Child(tmp_path) as child:
        begin(child)
        child.send("work", seq=1, partition=big.body(), labels=None, gate="open")
        child.until("progress")
        child.send("stop", reason="budget")
        last: dict[str, Any] = {}
        assert child.until("stopped", last.update)["reason"] == "budget"
        assert child.wait() == 0
        assert last.get("rows", 0) < big.rows
    assert not (tmp_path / "runs/r/1").exists()
