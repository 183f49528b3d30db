"""What a child does for each job: files in, trainer or scorer, files out, one `done` event."""

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from exfm_core.das import labels, scorer
from exfm_core.das.snapshots import Snapshot, load_snapshot, refuse_leak, save_snapshot
from exfm_core.errors import CheckpointError
from exfm_core.events import (
    ARMS,
    ArmResult,
    ArmSeconds,
    DasDone,
    DasWork,
    File,
    FmDone,
    FmWork,
    GateVerdict,
    HeadVerdict,
    Progress,
    ProtocolError,
    Start,
    Sums,
    VmDone,
    VmWork,
    Work,
    parse_instant,
)
from exfm_core.metrics.sums import BucketSums
from exfm_core.spec import FoundationSpec, StreamSchema, VerticalSpec
from exfm_core.train import checkpoints
from exfm_core.train.channel import Channel
from exfm_core.train.child import Job
from exfm_core.train.foundation import FoundationTrainer
from exfm_core.train.foundation_rows import Stream
from exfm_core.train.gate import Limits
from exfm_core.train.measure import Ledger
from exfm_core.train.storage import Storage
from exfm_core.train.tensors import SUFFIX
from exfm_core.train.vertical import VerticalOutcome, VerticalTrainer


def open_job(start: Start, storage: Storage, channel: Channel) -> Job:
    """The job that `start` asks for, resumed from its checkpoints."""
    makers: dict[str, Callable[[Start, Storage, Channel], Job]] = {
        "vm.train": VerticalJob,
        "fm.train": FoundationJob,
        "das.score": ScoringJob,
    }
    return makers[start.job](start, storage, channel)


class _Pulse:
    """Sends progress at most every so often, and notices a stop at every call."""

    def __init__(self, channel: Channel, every: float, seq: int, rows_total: int) -> None:
        self._channel, self._every, self._seq, self._total = channel, every, seq, rows_total
        self._started = self._last = time.monotonic()

    def due(self) -> bool:
        """Raises StopRequested where a stop came; True where progress should be sent."""
        self._channel.check()
        return time.monotonic() - self._last >= self._every

    def send(self, rows: int, metrics: dict[str, float]) -> None:
        """Sends it; figures that JSON cannot carry are left out."""
        self._last = time.monotonic()
        finite = {name: value for name, value in metrics.items() if np.isfinite(value)}
        rate = rows / max(self._last - self._started, 1e-9)
        self._channel.send(Progress(self._seq, rows, self._total, rate, finite))


class VerticalJob:
    """vm.train: both arms, one partition after another, in strict time order."""

    def __init__(self, start: Start, storage: Storage, channel: Channel) -> None:
        self._start, self._storage, self._channel = start, storage, channel
        spec = VerticalSpec.from_json(start.spec or {})
        schema = StreamSchema.from_json(start.schema or {})
        arms = tuple(arm for arm in ARMS if arm in start.arms)
        self._trainer = VerticalTrainer(spec, schema, arms)
        shared: dict[str, Any] = {"spec": spec.to_json(), "schema": schema.to_json()}
        self._identity: dict[str, dict[str, Any]] = {arm: shared | {"arm": arm} for arm in arms}
        self._position = self._resume({arm: start.resume.get(arm) for arm in arms})

    def run(self, work: Work) -> VmDone:
        assert isinstance(work, VmWork)  # noqa: S101  the codec chose the type by the job
        partition = work.partition
        end = self._position.get("end")
        if end is not None and parse_instant(partition.start) < parse_instant(end):
            raise ProtocolError(
                "protocol.time_order",
                f"Partition {partition.id} starts at {partition.start}; this lineage has read up to {end}.",
                "A lineage reads its stream once, in time order; open a new lineage to go back.",
            )
        pulse = _Pulse(self._channel, self._start.progress_every, work.seq, partition.rows)

        def tick(ledger: Ledger) -> None:
            if pulse.due():
                pulse.send(ledger.done, ledger.normalized_entropy())

        logits = self._labels(work)
        with self._storage.reading(partition.file) as path:
            outcome = self._trainer.train(path, partition.rows, logits, work.gate == "open", tick)
        self._channel.check()
        self._position = {
            "partition": partition.id,
            "end": partition.end,
            "partitions": int(self._position.get("partitions", 0)) + 1,
            "rows": int(self._position.get("rows", 0)) + outcome.rows,
        }
        return self._report(work.seq, outcome)

    def _labels(self, work: VmWork) -> npt.NDArray[np.float32] | None:
        if work.labels is None:
            return None
        refuse_leak(parse_instant(work.labels.watermark), parse_instant(work.partition.start))
        with self._storage.reading(work.labels.file) as path:
            logits, provenance = labels.read_labels(path, work.labels.task, work.partition.file.sha256)
        refuse_leak(parse_instant(provenance.watermark), parse_instant(work.partition.start))
        return logits

    def _resume(self, files: dict[str, File | None]) -> dict[str, Any]:
        positions: list[dict[str, Any]] = []
        for arm, file in files.items():
            if file is None:
                positions.append({})
                continue
            data = self._storage.read(file)
            positions.append(checkpoints.load_student(self._trainer.students[arm], data, self._identity[arm]))
        if any(position != positions[0] for position in positions):
            raise CheckpointError(
                "checkpoint.arms_apart",
                "The arms' checkpoints stand at different places of the stream.",
                "Resume both from the same partition's commit, or neither.",
            )
        return positions[0]

    def _report(self, seq: int, outcome: VerticalOutcome) -> VmDone:
        arms: dict[str, ArmResult] = {}
        for arm, measured in outcome.arms.items():
            data = checkpoints.save_student(self._trainer.students[arm], self._identity[arm], self._position)
            file = self._storage.write(self._start.prefix, seq, SUFFIX, data)
            every, covered = _sums(measured.all), _sums(measured.covered)
            text = measured.histogram.encode()
            arms[arm] = ArmResult(file, every, covered, measured.auc, text, outcome.seconds[arm])
        seconds = ArmSeconds(**{name: outcome.seconds[name] for name in ("total", "read", "control", "treatment")})
        label = None if outcome.label is None else _sums(outcome.label)
        return VmDone(seq, arms, label, outcome.rows, outcome.covered, outcome.clipped, seconds, outcome.batches)


class FoundationJob:
    """fm.train: a period's manifest, then the gate."""

    def __init__(self, start: Start, storage: Storage, channel: Channel) -> None:
        self._start, self._storage, self._channel = start, storage, channel
        self._spec = FoundationSpec.from_json(start.spec or {})
        self._trainer = FoundationTrainer(self._spec)
        self._identity = {"spec": self._spec.to_json()}
        self._watermark: str | None = None
        if (file := start.resume.get("fm")) is not None:
            trainer = self._trainer
            data = storage.read(file)
            position = checkpoints.load_foundation(trainer.net, trainer.optimizer, data, self._identity, trainer.kept)
            trainer.rows_seen = int(position["rows"])
            trainer.slots = frozenset(position["slots"])
            self._watermark = position["watermark"]

    def run(self, work: Work) -> FmDone:
        assert isinstance(work, FmWork)  # noqa: S101  the codec chose the type by the job
        pulse = _Pulse(self._channel, self._start.progress_every, work.seq, sum(p.rows for p in work.partitions))

        def tick(rows: int, metrics: dict[str, float]) -> None:
            if pulse.due():
                pulse.send(rows, metrics)

        current = None if work.current is None else load_snapshot(self._storage.read(work.current.file))
        low, high = work.gate.calibration
        with ExitStack() as stack:
            streams = [
                Stream(
                    stack.enter_context(self._storage.reading(partition.file)),
                    StreamSchema.from_json(partition.schema),
                    partition.tenant_slot,
                    parse_instant(partition.start),
                )
                for partition in work.partitions
            ]
            outcome = self._trainer.train(streams, current, Limits(work.gate.tolerance, (low, high)), tick)
        self._channel.check()
        ends = [partition.end for partition in work.partitions]
        self._watermark = _latest([*ends, *([self._watermark] if self._watermark else [])])
        checkpoint = self._storage.write(self._start.prefix, work.seq, SUFFIX, self._checkpoint(work))
        data = save_snapshot(self._trainer.net, self._spec, self._watermark, self._trainer.slots)
        snapshot = self._storage.write(self._start.prefix, work.seq, SUFFIX, data)
        judgement = outcome.judgement
        heads = tuple(
            HeadVerdict(h.tenant_slot, h.task, h.n, h.ne_candidate, h.ne_current, h.calibration, bool(h.problem))
            for h in judgement.heads
        )
        gate = GateVerdict(judgement.decision, judgement.reason, heads)
        seconds, rows = outcome.seconds, outcome.rows
        return FmDone(work.seq, checkpoint, snapshot, self._watermark, rows, outcome.heldback, gate, seconds)

    def _checkpoint(self, work: FmWork) -> bytes:
        position = {
            "watermark": self._watermark,
            "rows": self._trainer.rows_seen,
            "slots": sorted(self._trainer.slots),
            "period_end": work.period.end,
        }
        trainer = self._trainer
        return checkpoints.save_foundation(trainer.net, trainer.optimizer, self._identity, position, trainer.kept)


class ScoringJob:
    """das.score: label sets, each by the snapshot that the run resolved for its partition."""

    def __init__(self, start: Start, storage: Storage, channel: Channel) -> None:
        self._start, self._storage, self._channel = start, storage, channel
        self._loaded: tuple[str, Snapshot] | None = None

    def run(self, work: Work) -> DasDone:
        assert isinstance(work, DasWork)  # noqa: S101  the codec chose the type by the job
        partition, started = work.partition, time.perf_counter()
        snapshot = self._snapshot(work)
        for watermark in (work.snapshot.watermark, snapshot.watermark):
            refuse_leak(parse_instant(watermark), parse_instant(partition.start))
        pulse = _Pulse(self._channel, self._start.progress_every, work.seq, partition.rows)

        def tick(rows: int) -> None:
            if pulse.due():
                pulse.send(rows, {})

        loaded = time.perf_counter()
        schema = StreamSchema.from_json(partition.schema)
        with self._storage.reading(partition.file) as path:
            scored = scorer.score(snapshot, path, schema, partition.tenant_slot, tick)
        if scored.rows != partition.rows:
            raise scorer.wrong_rows(partition.rows, scored.rows)
        done = time.perf_counter()
        provenance = labels.Provenance(
            snapshot=work.snapshot.id,
            snapshot_sha256=work.snapshot.file.sha256,
            watermark=snapshot.watermark,
            partition=partition.id,
            partition_sha256=partition.file.sha256,
            tenant_slot=partition.tenant_slot,
            scored_at=datetime.now(UTC).isoformat(),
        )
        data = labels.write_labels(scored.logits, provenance)
        file = self._storage.write(self._start.prefix, work.seq, labels.SUFFIX, data)
        sums = {kind: _sums(part) for kind, part in scored.sums.items()}
        seconds = {"load": loaded - started, "score": done - loaded, "total": time.perf_counter() - started}
        return DasDone(work.seq, file, scored.rows, sums, seconds)

    def _snapshot(self, work: DasWork) -> Snapshot:
        """The snapshot's weights; the last one stays loaded, since a run scores many partitions with it."""
        file = work.snapshot.file
        if self._loaded is None or self._loaded[0] != file.sha256:
            self._loaded = (file.sha256, load_snapshot(self._storage.read(file)))
        return self._loaded[1]


def _sums(sums: BucketSums) -> Sums:
    return Sums(tuple(sums.n.tolist()), tuple(sums.y.tolist()), tuple(sums.loss.tolist()), tuple(sums.p.tolist()))


def _latest(instants: Iterable[str]) -> str:
    return max(instants, key=parse_instant)
