"""The job that torchrun runs: periods of partitions in time order, from a checkpoint to a checkpoint, one JSON file.

    {"spec": {…foundation spec…},
     "periods": [{"end": "2026-01-01T01:00:00+00:00", "streams": [{"file": …, "slot": 1, "schema": {…}}]}],
     "resume": "folder of a sharded checkpoint" (optional), "out": "folder",
     "sharding": {"user_id": "row_wise"} (optional), "memory_gib": 8 (optional, per process)}

Writes `out/shards` (any number of processes can go on from it), `out/snapshot.safetensors` (what the data augmentation
service scores with) and `out/report.json`.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from exfm_core.das.snapshots import save_snapshot
from exfm_core.errors import DataError, SpecError
from exfm_core.scale.checkpoints import load_shards, save_shards, whole
from exfm_core.scale.group import Group
from exfm_core.scale.tables import Sharding
from exfm_core.scale.trainer import ShardedFoundationTrainer
from exfm_core.spec import FoundationSpec, StreamSchema
from exfm_core.train.foundation_rows import Stream
from exfm_core.train.gate import Limits

_KEYS = {"spec", "periods", "resume", "out", "sharding", "memory_gib"}


@dataclass(frozen=True, slots=True)
class Period:
    """All partitions of one period; `end` becomes the watermark."""

    end: datetime
    streams: tuple[Stream, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """A read and checked job file."""

    spec: FoundationSpec
    periods: tuple[Period, ...]
    out: Path
    resume: Path | None
    sharding: dict[str, Sharding]
    memory: int | None

    @classmethod
    def read(cls, path: Path) -> "Job":
        """Raises SpecError with the field that is wrong."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(data, dict):
                raise TypeError("it is no JSON object")
            unknown = sorted(set(data) - _KEYS)
            if unknown:
                raise KeyError(", ".join(unknown))
            memory = data.get("memory_gib")
            return cls(
                FoundationSpec.from_json(data["spec"]),
                tuple(_period(period, path.parent) for period in data["periods"]),
                path.parent / data["out"],
                path.parent / data["resume"] if data.get("resume") else None,
                dict(data.get("sharding", {})),
                None if memory is None else int(float(memory) * 2**30),
            )
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise SpecError(
                "scale.job",
                f"{path} is not a job: {type(error).__name__} {error}.",
                f"Fields: {', '.join(sorted(_KEYS))}.",
            ) from error


def run(job: Job, group: Group) -> dict[str, Any]:
    """Trains period after period; every process calls it. Returns the report. Raises DataError for periods out of
    order and CheckpointError for a checkpoint that is not this lineage's."""
    trainer = ShardedFoundationTrainer(job.spec, group, job.sharding, job.memory)
    identity = {"spec": job.spec.to_json()}
    watermark: datetime | None = None
    if job.resume is not None:
        position = load_shards(trainer, job.resume, identity)
        trainer.rows_seen, trainer.slots = int(position["rows"]), frozenset(position["slots"])
        watermark = datetime.fromisoformat(position["watermark"])
    _check_order(job.periods, watermark)
    job.out.mkdir(parents=True, exist_ok=True)
    periods: list[dict[str, Any]] = []
    for period in job.periods:
        outcome = trainer.train(list(period.streams), None, Limits())
        watermark = period.end
        periods.append(
            {"end": period.end.isoformat(), "rows": outcome.rows, "decision": outcome.judgement.decision}
            | {"reason": outcome.judgement.reason, "seconds": outcome.seconds}
        )
    assert watermark is not None  # noqa: S101  for the type checker: there is a period
    position = {"rows": trainer.rows_seen, "slots": sorted(trainer.slots), "watermark": watermark.isoformat()}
    save_shards(trainer, job.out / "shards", identity, position)
    shards = {
        name: [[s.first, len(s.weight)] for s in trainer.tables.shards if s.table == name]
        for name in trainer.tables.names
    }
    report = {
        "world": group.world,
        "device": group.device.type,
        "position": position,
        "periods": periods,
        "first_process": shards,
    }
    one = whole(trainer)
    if one is not None:
        (job.out / "snapshot.safetensors").write_bytes(
            save_snapshot(one.net, job.spec, watermark.isoformat(), trainer.slots)
        )
        (job.out / "report.json").write_text(json.dumps(report, indent=1))
    return report


def _check_order(periods: tuple[Period, ...], watermark: datetime | None) -> None:
    """Before anything is trained or written."""
    if not periods:
        raise DataError("scale.no_periods", "The job has no period.", "Name at least one.")
    for period in periods:
        if watermark is not None and period.end <= watermark:
            raise DataError(
                "scale.time_order",
                f"A period ends at {period.end.isoformat()}; this lineage has read up to {watermark.isoformat()}.",
                "Name each period once, in time order.",
            )
        watermark = period.end


def _period(data: dict[str, Any], root: Path) -> Period:
    streams = tuple(
        Stream(str(root / entry["file"]), StreamSchema.from_json(entry["schema"]), int(entry["slot"]))
        for entry in data["streams"]
    )
    return Period(datetime.fromisoformat(data["end"]), streams)
