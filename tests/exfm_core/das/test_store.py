"""The stores without the platform: publish, pointer, rollback, damage, retention, leaks, provenance, traffic."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from multiprocessing import get_context
from multiprocessing.synchronize import Semaphore
from pathlib import Path

import numpy as np
import pytest
import torch

from exfm_core.das.folder import Folder
from exfm_core.das.scorer import Scored, score
from exfm_core.das.snapshots import save_snapshot
from exfm_core.das.store import LabelStore, SnapshotReader, SnapshotStore, StoreError
from exfm_core.das.verify import TOLERANCE, predict_rows
from exfm_core.errors import CheckpointError, DataError, LeakError
from exfm_core.models.foundation import FoundationNet
from tests.exfm_core.train.factories import HOUR, ORIGIN, foundation, partition, schema
from tests.kit.patience import PATIENCE


@cache
def snapshot(hour: int) -> bytes:
    """Weights that know data up to that hour; they say which, too."""
    net = FoundationNet(foundation(), "plain")
    with torch.no_grad():
        net.tenant_bias.fill_(float(hour))
    return save_snapshot(net, foundation(), (ORIGIN + hour * HOUR).isoformat(), frozenset({1}))


def store(root: Path) -> SnapshotStore:
    return SnapshotStore(root, "plain")


def publish(found: SnapshotStore, *hours: int) -> list[str]:
    names = [found.add(snapshot(hour)) for hour in hours]
    for name in names:
        found.publish(name, "publish")
    return names


def test_a_candidate_is_no_snapshot_before_the_gate_let_it_pass(tmp_path: Path) -> None:
    found = store(tmp_path)
    name = found.add(snapshot(1))
    assert found.current() is None
    for decision in ("reject", "corrupt"):
        with pytest.raises(StoreError, match="says"):
            found.publish(name, decision, "worse")
    assert found.publish(name, "publish").watermark == (ORIGIN + HOUR).isoformat()
    current = found.current()
    assert current is not None
    assert (current.number, current.snapshot) == (1, name)


def test_rollback_is_one_move_and_can_be_repeated(tmp_path: Path) -> None:
    found = store(tmp_path)
    one, two, three = publish(found, 1, 2, 3)
    assert found.rollback("worse").snapshot == two
    assert found.rollback("worse still").snapshot == one
    with pytest.raises(StoreError, match="before"):
        found.rollback("again")
    assert [move.action for move in found.history()] == ["publish"] * 3 + ["rollback"] * 2
    assert found.newest_for(ORIGIN + 9 * HOUR) == found.current()
    found.publish(three, "publish")
    newest = found.newest_for(ORIGIN + 9 * HOUR)
    assert newest is not None
    assert newest.snapshot == three


def test_the_newest_old_enough_snapshot_labels_a_partition(tmp_path: Path) -> None:
    found = store(tmp_path)
    names = publish(found, 1, 2, 3)
    assert found.newest_for(ORIGIN) is None
    for hour, name in ((1, names[0]), (2, names[1]), (2.5, names[1]), (7, names[2])):
        newest = found.newest_for(ORIGIN + hour * HOUR)
        assert newest is not None
        assert newest.snapshot == name


def damage(root: Path, name: str) -> None:
    (path,) = root.rglob(f"*{name}*")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))


def test_a_damaged_snapshot_is_refused_and_the_previous_one_serves(tmp_path: Path) -> None:
    found = store(tmp_path)
    one, two = publish(found, 1, 2)
    reader = SnapshotReader(found)
    damage(tmp_path, two)
    with pytest.raises(CheckpointError) as caught:
        found.load(two)
    assert caught.value.code == "das.damaged"
    loaded = reader.snapshot()
    assert loaded is not None
    assert loaded[0].snapshot == one
    assert reader.problem is not None
    three = publish(found, 3)[0]
    loaded = reader.snapshot()
    assert loaded is not None
    assert loaded[0].snapshot == three
    assert not reader.problem
    (tmp_path / f"snapshots/{three}.safetensors").unlink()
    assert reader.snapshot() == loaded
    with pytest.raises(CheckpointError):
        found.publish(three, "publish")


def test_two_writers_cannot_make_the_same_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = store(tmp_path), store(tmp_path)
    publish(first, 1)
    stale = second.current()
    publish(first, 2)
    monkeypatch.setattr(second, "current", lambda: stale)
    with pytest.raises(StoreError) as caught:
        publish(second, 3)
    assert caught.value.code == "das.conflict"


def test_what_a_partition_may_still_need_is_kept(tmp_path: Path) -> None:
    found = store(tmp_path)
    names = publish(found, 1, 2, 3, 4)
    assert found.prune(ORIGIN + 3 * HOUR) == names[:2]
    assert found.prune(ORIGIN + 3 * HOUR) == []
    assert found.load(names[2])
    assert found.prune(ORIGIN + 99 * HOUR) == [names[2]]
    assert found.load(names[3])


def labels_of(root: Path, hour: int, count: int = 500) -> tuple[LabelStore, SnapshotStore, Scored, str, Path]:
    part = partition(root, count, hour)
    snapshots = store(root)
    publish(snapshots, hour)
    current = snapshots.current()
    assert current is not None
    path = root / part.file.uri
    return (
        LabelStore(root),
        snapshots,
        score(snapshots.load(current.snapshot), path, schema(), 1),
        part.file.sha256,
        path,
    )


def test_one_committed_label_set_per_partition_and_snapshot(tmp_path: Path) -> None:
    labels, snapshots, scored, sha256, _ = labels_of(tmp_path, 1)
    move = snapshots.current()
    assert move is not None
    about = {"partition": "p", "partition_sha256": sha256, "start": ORIGIN + HOUR, "slot": 1}
    first = labels.commit(scored, snapshot=move, **about)  # type: ignore[arg-type]
    again = labels.commit(replace(scored, logits={"click": scored.logits["click"] + 1}), snapshot=move, **about)  # type: ignore[arg-type]
    assert again == first
    newest = labels.newest(sha256, "click")
    assert newest is not None
    assert np.array_equal(newest[1], scored.logits["click"])
    assert newest[0].provenance.snapshot == move.snapshot
    with pytest.raises(DataError, match="no logits"):
        labels.read(first, "conversion")
    labels.prune(sha256)
    assert labels.newest(sha256, "click") is None


def test_a_snapshot_that_leaks_is_refused(tmp_path: Path) -> None:
    labels, snapshots, scored, sha256, _ = labels_of(tmp_path, 2)
    move = snapshots.current()
    assert move is not None
    with pytest.raises(LeakError):
        labels.commit(
            scored,
            snapshot=move,
            partition="p",
            partition_sha256=sha256,
            start=ORIGIN + 2 * HOUR - timedelta(microseconds=1),
            slot=1,
        )
    assert labels.sets(sha256) == []


def test_a_damaged_label_set_is_passed_over(tmp_path: Path) -> None:
    labels, snapshots, _, sha256, path = labels_of(tmp_path, 2)
    publish(snapshots, 1)
    about = {"partition": "p", "partition_sha256": sha256, "start": ORIGIN + 2 * HOUR, "slot": 1}
    for move in snapshots.history():
        labels.commit(score(snapshots.load(move.snapshot), path, schema(), 1), snapshot=move, **about)  # type: ignore[arg-type]
    old, new = labels.sets(sha256)
    damage(tmp_path, new.sha256)
    with pytest.raises(CheckpointError):
        labels.read(new, "click")
    found = labels.newest(sha256, "click")
    assert found is not None
    assert found[0] == old


def test_random_rows_can_be_predicted_again(tmp_path: Path) -> None:
    labels, snapshots, scored, sha256, path = labels_of(tmp_path, 1)
    move = snapshots.current()
    assert move is not None
    kept = labels.commit(scored, snapshot=move, partition="p", partition_sha256=sha256, start=ORIGIN + HOUR, slot=1)
    logged = labels.read(kept, "click")
    rows = np.random.default_rng(0).integers(0, 500, 20).tolist()
    again = predict_rows(snapshots.load(kept.provenance.snapshot), path, schema(), 1, "click", rows)
    assert np.abs(again - logged[rows]).max() <= TOLERANCE
    with pytest.raises(DataError, match="no row 500"):
        predict_rows(snapshots.load(move.snapshot), path, schema(), 1, "click", [500])


def test_any_fsspec_folder_will_do() -> None:
    found = Folder("memory://exfm-test-store")
    assert found.create("a/b.json", b"one")
    assert not found.create("a/b.json", b"two")
    assert found.read("a/b.json") == b"one"
    assert found.names("a") == ["a/b.json"]
    assert found.names("none") == []
    found.remove("a/b.json")
    assert not found.exists("a/b.json")


MOVES = 15


def write_many(root: str, news: Semaphore) -> None:
    """Another process publishes, and now and then rolls back, but not before the readers have seen something new."""
    found = SnapshotStore(root, "plain")
    for hour in range(1, MOVES + 1):
        found.publish(found.add(snapshot(hour)), "publish")
        if hour % 5 == 0:
            assert news.acquire(timeout=PATIENCE)
            found.rollback("test")
            found.prune(ORIGIN + (hour - 2) * HOUR)


def test_loading_under_traffic(tmp_path: Path) -> None:
    """Three threads follow the pointer while a process publishes: every snapshot is whole and is the one it names."""
    reader, stop = SnapshotReader(store(tmp_path)), threading.Event()
    context = get_context("spawn")
    news, seen, looking = context.Semaphore(0), set[int](), threading.Lock()
    faults: list[BaseException] = []

    def follow() -> None:
        while not stop.wait(0.005):
            try:
                found = reader.snapshot()
                if found is not None:
                    move, loaded = found
                    bias = float(loaded.net.tenant_bias[1, 0])
                    hour = (datetime.fromisoformat(move.watermark) - ORIGIN) / HOUR
                    assert bias == hour
                    with looking:
                        if move.number not in seen:
                            seen.add(move.number)
                            news.release()
            except BaseException as error:  # noqa: BLE001  a thread's failure must fail the test
                faults.append(error)
                return

    threads = [threading.Thread(target=follow) for _ in range(3)]
    for thread in threads:
        thread.start()
    writer = context.Process(target=write_many, args=(str(tmp_path), news))
    writer.start()
    writer.join(PATIENCE)
    stop.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert (writer.exitcode, faults) == (0, [])
    last = reader.snapshot()
    assert last is not None
    assert last[0] == store(tmp_path).current()
    assert len(seen) > 2
    assert datetime.now(UTC) > datetime.fromisoformat(last[0].moved_at)
