"""Snapshots and label sets in a folder, for the method without the platform.

    snapshots/<sha256>.safetensors    weights; the name is their hash
    moves/<number>.json               what was published, when, with which verdict; the newest one is the pointer
    labels/<partition>/<snapshot>.json, labels/<partition>/<sha256>.parquet
                                      one committed label set per partition and snapshot, named by hashes

Every file is written once and never changed; a move of the pointer is a new file that only one of several writers can
create. A rollback is a move too. What a partition may still need is kept: `prune` says until when.
"""

import hashlib
import io
import json
import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from exfm_core.das.folder import Folder
from exfm_core.das.labels import Provenance, read_labels, write_labels
from exfm_core.das.scorer import Scored
from exfm_core.das.snapshots import Snapshot, load_snapshot, refuse_leak
from exfm_core.errors import CheckpointError, ExfmError
from exfm_core.models.embeddings import Backend

Logits = npt.NDArray[np.float32]


class StoreError(ExfmError):
    """Something that the store refuses to do."""


@dataclass(frozen=True, slots=True)
class Move:
    """The pointer's `number`-th place. `snapshot` and `sha256` are one and the same name."""

    number: int
    snapshot: str
    watermark: str
    action: Literal["publish", "rollback"]
    reason: str
    moved_at: str

    @property
    def instant(self) -> datetime:
        """The watermark."""
        return datetime.fromisoformat(self.watermark)


class SnapshotStore:
    """Candidates, the pointer to the published one, and its history."""

    def __init__(self, url: str | Path, backend: Backend = "fused") -> None:
        self._folder, self._backend = Folder(url), backend

    def add(self, data: bytes) -> str:
        """Stores a candidate's bytes; returns its name. Nothing scores with it before it is published."""
        name = hashlib.sha256(data).hexdigest()
        self._folder.create(_file(name), data)
        return name

    def publish(self, snapshot: str, decision: str, reason: str = "") -> Move:
        """Moves the pointer to a candidate that the publishing gate let pass. Raises StoreError if it did not, or if
        another writer moved the pointer meanwhile; CheckpointError if the candidate is damaged."""
        if decision != "publish":
            raise StoreError(
                "das.not_published",
                f"The publishing gate says {decision!r} of snapshot {snapshot[:12]}: {reason}",
                "The snapshot in use stays; the lineage goes on and offers the next candidate.",
            )
        return self._move(self.load(snapshot), snapshot, "publish", reason)

    def rollback(self, reason: str) -> Move:
        """Moves the pointer back to the snapshot published before the current one. Raises StoreError without one."""
        history = self.history()
        current = history[-1].snapshot if history else ""
        published = [move.snapshot for move in history if move.action == "publish"]
        before = published[: published.index(current)] if current in published else []
        for name in reversed(before):
            if name != current and self._folder.exists(_file(name)):
                return self._move(self.load(name), name, "rollback", reason)
        raise StoreError(
            "das.nothing_before", "No snapshot was published before the current one.", "Publish another candidate."
        )

    def history(self) -> list[Move]:
        """All moves, oldest first."""
        return [Move(**json.loads(self._folder.read(name))) for name in self._folder.names("moves")]

    def current(self) -> Move | None:
        """Where the pointer stands; None before the first publication."""
        names = self._folder.names("moves")
        return Move(**json.loads(self._folder.read(names[-1]))) if names else None

    def newest_for(self, partition_start: datetime) -> Move | None:
        """The newest once-published snapshot that may label a partition: watermark ≤ its start (METHOD §3). One that a
        rollback took back is out; None where there is none yet."""
        history = self.history()
        gone = _taken_back(history)
        fit = [m for m in history if m.instant <= partition_start and m.snapshot not in gone]
        return max(fit, key=lambda move: (move.instant, move.number), default=None)

    def load(self, snapshot: str) -> Snapshot:
        """A stored snapshot. Raises CheckpointError if it is missing, or not what was stored."""
        return load_snapshot(self._folder.read(_file(snapshot), snapshot), self._backend)

    def prune(self, oldest_start: datetime) -> list[str]:
        """Deletes weights that no partition starting at `oldest_start` or later can need, never the current ones.
        Returns the names."""
        needed, current = self.newest_for(oldest_start), self.current()
        removed: list[str] = []
        for move in self.history():
            kept = {one.snapshot for one in (needed, current) if one is not None}
            old = needed is not None and move.instant < needed.instant
            if old and move.snapshot not in kept and self._folder.exists(_file(move.snapshot)):
                self._folder.remove(_file(move.snapshot))
                removed.append(move.snapshot)
        return removed

    def _move(self, loaded: Snapshot, snapshot: str, action: Literal["publish", "rollback"], reason: str) -> Move:
        current = self.current()
        number = 1 if current is None else current.number + 1
        move = Move(number, snapshot, loaded.watermark, action, reason, datetime.now(UTC).isoformat())
        data = json.dumps(asdict(move), sort_keys=True).encode()
        if not self._folder.create(f"moves/{number:08d}.json", data):
            raise StoreError(
                "das.conflict",
                f"Another writer made move {number} of the pointer first.",
                "Read the pointer again and decide anew.",
            )
        return move


class SnapshotReader:
    """Follows the pointer while others publish: `snapshot()` is always a whole one, loaded once per move.

    If the published file is damaged or gone, the one used so far, else the newest good one before it, serves instead
    and `problem` says why. Safe to call from several threads.
    """

    def __init__(self, store: SnapshotStore) -> None:
        self._store, self._lock = store, threading.Lock()
        self._loaded: tuple[Move, Snapshot] | None = None
        self._seen = 0
        self.problem: CheckpointError | None = None

    def snapshot(self) -> tuple[Move, Snapshot] | None:
        """The published snapshot and its move; None before the first publication."""
        with self._lock:
            current = self._store.current()
            if current is None or current.number == self._seen:
                return self._loaded
            self.problem, self._seen = None, current.number
            candidates = [current] if self._loaded else list(reversed(self._store.history()))
            for move in candidates:
                try:
                    self._loaded = (move, self._store.load(move.snapshot))
                    break
                except CheckpointError as error:
                    self.problem = self.problem or error
            return self._loaded


@dataclass(frozen=True, slots=True)
class LabelSet:
    """A committed label set: its file's hash, and where its logits come from."""

    sha256: str
    rows: int
    kinds: tuple[str, ...]
    provenance: Provenance


class LabelStore:
    """Row-aligned label sets, one per partition and snapshot."""

    def __init__(self, url: str | Path) -> None:
        self._folder = Folder(url)

    def commit(
        self, scored: Scored, *, snapshot: Move, partition: str, partition_sha256: str, start: datetime, slot: int
    ) -> LabelSet:
        """Commits what a snapshot said of a partition. The first commit counts: a later score by the same snapshot
        returns it. Raises LeakError if the snapshot has seen data after the partition's `start`."""
        refuse_leak(snapshot.instant, start)
        now = datetime.now(UTC).isoformat()
        provenance = Provenance(
            snapshot.snapshot, snapshot.snapshot, snapshot.watermark, partition, partition_sha256, slot, now
        )
        data = write_labels(scored.logits, provenance)
        digest = hashlib.sha256(data).hexdigest()
        self._folder.create(f"labels/{partition_sha256}/{digest}.parquet", data)
        record = {"sha256": digest, "rows": scored.rows, "kinds": list(scored.logits), "provenance": asdict(provenance)}
        name = f"labels/{partition_sha256}/{snapshot.snapshot}.json"
        self._folder.create(name, json.dumps(record, sort_keys=True).encode())
        return _label_set(json.loads(self._folder.read(name)))

    def sets(self, partition_sha256: str) -> list[LabelSet]:
        """All committed sets of a partition, oldest watermark first."""
        names = [name for name in self._folder.names(f"labels/{partition_sha256}") if name.endswith(".json")]
        found = [_label_set(json.loads(self._folder.read(name))) for name in names]
        return sorted(found, key=lambda one: datetime.fromisoformat(one.provenance.watermark))

    def read(self, labels: LabelSet, kind: str) -> Logits:
        """One head's logits [rows]. Raises CheckpointError if the file is missing or not what was committed, DataError
        if it has no such head."""
        sha256 = labels.provenance.partition_sha256
        data = self._folder.read(f"labels/{sha256}/{labels.sha256}.parquet", labels.sha256)
        return read_labels(io.BytesIO(data), kind, sha256)[0]

    def newest(self, partition_sha256: str, kind: str) -> tuple[LabelSet, Logits] | None:
        """The newest set that can be read; a damaged one is passed over for the one before it. None without any."""
        for found in reversed(self.sets(partition_sha256)):
            try:
                return found, self.read(found, kind)
            except CheckpointError:
                continue
        return None

    def prune(self, partition_sha256: str) -> None:
        """Deletes a partition's label sets: no model will read it again."""
        for name in self._folder.names(f"labels/{partition_sha256}"):
            self._folder.remove(name)


def _label_set(record: dict[str, Any]) -> LabelSet:
    return LabelSet(record["sha256"], record["rows"], tuple(record["kinds"]), Provenance(**record["provenance"]))


def _file(snapshot: str) -> str:
    return f"snapshots/{snapshot}.safetensors"


def _taken_back(history: list[Move]) -> set[str]:
    """Snapshots that a rollback left, unless they were published again."""
    gone: set[str] = set()
    for before, move in zip([None, *history], history, strict=False):
        if move.action == "rollback" and before is not None:
            gone.add(before.snapshot)
        gone.discard(move.snapshot)
    return gone
