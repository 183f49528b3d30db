"""A whole run in one process and one folder: the loop of METHOD §3 through the stores, resumable at any moment.

    results = run(RunSpec.from_json(…), "out")        in a notebook
    python -m exfm_core run spec.json --out out        on the command line

Every unit of work is committed as one; `kill -9` at any time costs the unit in hand, and the rest of the run is
bit-identical to an undisturbed one (same wheels, instruction set and thread count). One line of JSON per unit goes to
`events.jsonl`; `results.json` and `results.md` appear at the end.
"""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from exfm_core.cost import memory
from exfm_core.das.scorer import score, wrong_rows
from exfm_core.das.snapshots import save_snapshot
from exfm_core.das.store import LabelStore, SnapshotReader, SnapshotStore
from exfm_core.data.stream import Stream, StreamPartition
from exfm_core.data.validate import validate_partition
from exfm_core.errors import DataError
from exfm_core.metrics.label_gate import WINDOW, RawLabel
from exfm_core.metrics.sums import BucketSums
from exfm_core.spec.run import ModelRun, RunSpec, TenantRun
from exfm_core.train import checkpoints
from exfm_core.train.arms import CONTROL, TREATMENT, Arm
from exfm_core.train.foundation import FoundationTrainer
from exfm_core.train.foundation_rows import Stream as Read
from exfm_core.train.gate import Limits
from exfm_core.train.journal import Commit, Journal
from exfm_core.train.local import LabelGates
from exfm_core.train.plan import Unit, component, plan
from exfm_core.train.results import markdown, measured_json, outcome_of, results_of, write_results
from exfm_core.train.runtime import configure
from exfm_core.train.second_look import second_look
from exfm_core.train.vertical import VerticalTrainer

Say = Callable[[dict[str, Any]], None]


def run(spec: RunSpec, out: str | Path, *, base: str | Path = ".", say: Say | None = None) -> dict[str, Any]:
    """Runs `spec` in the folder `out`, or goes on where it stopped; returns the results. `base`: what relative streams
    are relative to. `say` gets every event."""
    configure(spec.threads)
    return Run(spec, Path(out), Path(base), say).go()


class Run:
    """One run, its stores and what is loaded of it."""

    def __init__(self, spec: RunSpec, out: Path, base: Path, say: Say | None = None) -> None:
        self.spec, self._out, self._base, self._say = spec, out, base, say
        self.streams = {tenant.name: Stream.read(_address(tenant.stream, base)) for tenant in spec.tenants}
        partitions = {name: [part.sha256 for part in stream] for name, stream in self.streams.items()}
        self.journal = Journal(out, {"spec": spec.to_json(), "partitions": partitions})
        self.units = plan(spec, self.streams)
        self._snapshots = SnapshotStore(out / "store", spec.backend)
        self._reader, self._labels = SnapshotReader(self._snapshots), LabelStore(out / "store")
        self._foundation: FoundationTrainer | None = None
        self._watermark: datetime | None = None
        self._verticals: dict[str, tuple[VerticalTrainer, LabelGates]] = {}
        self._line: list[str] = []  # published snapshots that were not taken back, by the commits alone
        self._scores: dict[str, dict[str, Any]] = {}
        self._regressed: dict[str, dict[str, list[str]]] = {}
        for commit in self.journal.commits:
            self._learn(commit)

    def go(self) -> dict[str, Any]:
        """Does what is left of the plan and writes the results."""
        done = len(self.journal.commits)
        if [commit.unit for commit in self.journal.commits] != [unit.key for unit in self.units[:done]]:
            raise DataError("run.order", "The commits do not follow the plan of these streams.", "Start the run anew.")
        self._tell("begin" if not done else "resume", done=done, units=len(self.units))
        work = {"score": self._score, "vertical": self._vertical, "foundation": self._train_foundation}
        for unit in self.units[done:]:
            started = time.perf_counter()
            states, measured = work[unit.kind](unit)
            commit = self.journal.commit(unit.key, states, measured)
            self._learn(commit)
            shown = {name: value for name, value in measured.items() if isinstance(value, str | int | float)}
            self._tell(unit.kind, unit=unit.key, seconds=round(time.perf_counter() - started, 3), **shown)
        results = results_of(self.spec, self.units, self.journal.commits)
        write_results(self._out, results)
        self._tell("end", units=len(self.units))
        return results

    def _learn(self, commit: Commit) -> None:
        """What later units need of a commit."""
        if commit.unit.startswith("score "):
            self._scores[commit.unit.rpartition(" ")[2]] = commit.measured
        elif commit.unit.startswith("foundation "):
            if commit.measured["taken_back"]:
                self._line.pop()
            if commit.measured["decision"] == "publish":
                self._line.append(commit.measured["snapshot"])
                self._regressed[commit.measured["snapshot"]] = commit.measured["regressed"]

    def _score(self, unit: Unit) -> tuple[dict[str, bytes], dict[str, Any]]:
        tenant, partition = _both(unit)
        _validate(tenant, partition)
        move = self._snapshots.newest_for(partition.start)
        if move is None:
            return {}, {"rows": partition.rows, "snapshot": "", "sums": {}}
        loaded = self._reader.snapshot()
        snapshot = loaded[1] if loaded and loaded[0].snapshot == move.snapshot else self._snapshots.load(move.snapshot)
        scored = score(snapshot, partition.open(), tenant.schema, tenant.slot)
        if scored.rows != partition.rows:
            raise wrong_rows(partition.rows, scored.rows)
        self._labels.commit(
            scored,
            snapshot=move,
            partition=f"{tenant.name}/{partition.uri}",
            partition_sha256=partition.sha256,
            start=partition.start,
            slot=tenant.slot,
        )
        sums = {kind: found.to_json() for kind, found in scored.sums.items()}
        return {}, {"rows": scored.rows, "snapshot": move.snapshot, "watermark": move.watermark, "sums": sums}

    def _vertical(self, unit: Unit) -> tuple[dict[str, bytes], dict[str, Any]]:
        tenant, partition = _both(unit)
        assert unit.model is not None  # noqa: S101  for the type checker: the plan names it
        name = component(tenant, unit.model, unit.seed)
        trainer, gates = self._open(name, tenant, unit.model, unit.seed)
        labels, raw = {}, {}
        for task in trainer.spec.model.tasks:
            kind = tenant.schema.task(task).kind
            found = self._labels.newest(partition.sha256, kind) if self._has_label(partition, kind) else None
            labels[task] = None if found is None else found[1]
            raw[task] = self._raw_label(tenant, partition, kind)
        outcome = trainer.train(partition.open(), partition.rows, labels, gates.decide(raw))
        gates.learn(outcome)
        position = {"partition": partition.sha256, "end": partition.end.isoformat()}
        states = {
            f"{name} {arm}": checkpoints.save_student(student, self._identity(trainer, arm), position)
            for arm, student in trainer.students.items()
        }
        open_now = {arm: {task: found[-1] for task, found in tasks.items()} for arm, tasks in gates.passed.items()}
        return states, measured_json(outcome, open_now)

    def _train_foundation(self, unit: Unit) -> tuple[dict[str, bytes], dict[str, Any]]:
        trainer = self._foundation = self._foundation or self._open_foundation()
        limits = Limits(self.spec.tolerance, (self.spec.calibration_low, self.spec.calibration_high))
        taken_back = self._take_back(unit, limits)
        line = self._line[:-1] if taken_back else self._line
        current = line[-1] if line else None
        streams = _reads(unit)
        outcome = trainer.train(streams, None if current is None else self._snapshots.load(current), limits)
        judgement = outcome.judgement
        if judgement.decision == "corrupt":
            raise DataError(
                "foundation.corrupt",
                f"After {unit.key}: {judgement.reason}",
                "Lower the foundation model's learning rates and start the run anew.",
            )
        self._watermark = max([part.end for _, part in unit.period] + ([self._watermark] if self._watermark else []))
        watermark = self._watermark.isoformat()
        name = self._snapshots.add(save_snapshot(trainer.net, trainer.spec, watermark, trainer.slots))
        pointer = self._snapshots.current()
        # A killed run may have moved the pointer before it could commit: the same candidate is not published twice.
        if judgement.decision == "publish" and (pointer is None or pointer.snapshot != name):
            self._snapshots.publish(name, judgement.decision, judgement.reason)
        position = {"rows": trainer.rows_seen, "slots": sorted(trainer.slots), "watermark": watermark}
        data = checkpoints.save_foundation(
            trainer.net, trainer.optimizer, {"spec": trainer.spec.to_json()}, position, trainer.kept
        )
        regressed = {tenant.name: sorted(judgement.regressed(tenant.slot)) for tenant in self.spec.tenants}
        measured = {
            "rows": outcome.rows,
            "heldback": outcome.heldback,
            "decision": judgement.decision,
            "reason": judgement.reason,
            "snapshot": name,
            "taken_back": taken_back,
            "regressed": regressed,
        }
        return {"foundation": data}, measured

    def _open_foundation(self) -> FoundationTrainer:
        plan = memory.foundation_memory(self.spec.foundation, streams=len(self.spec.tenants))
        memory.require(plan, "The foundation model")
        trainer = FoundationTrainer(self.spec.foundation, self.spec.backend)
        if (data := self.journal.state("foundation")) is not None:
            identity = {"spec": trainer.spec.to_json()}
            position = checkpoints.load_foundation(trainer.net, trainer.optimizer, data, identity, trainer.kept)
            trainer.rows_seen, trainer.slots = int(position["rows"]), frozenset(position["slots"])
            self._watermark = datetime.fromisoformat(position["watermark"])
        return trainer

    def _take_back(self, unit: Unit, limits: Limits) -> str:
        """Rolls the newest snapshot back if it regressed on the period that it has labelled; returns why, or ""."""
        if len(self._line) < 2:
            return ""
        before, newest = (self._snapshots.load(name) for name in self._line[-2:])
        look = second_look(newest, before, _reads(unit), limits)
        if look.decision == "publish":
            return ""
        pointer = self._snapshots.current()
        # As with publications: a move that was made before a kill is not made twice.
        if pointer is not None and pointer.snapshot == self._line[-1]:
            self._snapshots.rollback(look.reason)
        return look.reason

    def _open(self, name: str, tenant: TenantRun, model: ModelRun, seed: int) -> tuple[VerticalTrainer, LabelGates]:
        """The model's trainer and gates, as its last commit left them."""
        if name in self._verticals:
            return self._verticals[name]
        document = model.spec.to_json() | {"seed": seed}
        named: list[str | Arm] = [Arm.from_json(arm.to_json()) for arm in model.arms]
        arms = named or [CONTROL, TREATMENT]
        starter = (self._base / model.starter).read_bytes() if model.starter else None
        memory.require(memory.vertical_memory(model.spec, tenant.schema, arms=len(arms)), f"Model {name!r}")
        trainer = VerticalTrainer(type(model.spec).from_json(document), tenant.schema, arms, self.spec.backend, starter)
        gates = LabelGates(trainer)
        for arm, student in trainer.students.items():
            if (data := self.journal.state(f"{name} {arm}")) is not None:
                checkpoints.load_student(student, data, self._identity(trainer, arm))
        for commit in self.journal.commits:
            if commit.unit.startswith(f"{name} "):
                for arm, tasks in commit.measured["gates"].items():
                    for task, is_open in tasks.items():
                        gates.passed[arm][task].append(is_open)
                gates.learn(outcome_of(commit.measured))
        self._verticals[name] = (trainer, gates)
        return trainer, gates

    def _identity(self, trainer: VerticalTrainer, arm: str) -> dict[str, Any]:
        shared = {"spec": trainer.spec.to_json(), "schema": trainer.layout.schema.to_json()}
        return shared | {"arm": trainer.arms[arm].to_json()}

    def _has_label(self, partition: StreamPartition, kind: str) -> bool:
        return kind in self._scores.get(partition.sha256, {}).get("sums", {})

    def _raw_label(self, tenant: TenantRun, partition: StreamPartition, kind: str) -> RawLabel:
        """The teacher's own progressive errors on the tenant's partitions before this one."""
        before = [part for part in self.streams[tenant.name] if part.end <= partition.start][-WINDOW:]
        found = [self._scores.get(part.sha256, {}).get("sums", {}).get(kind) for part in before]
        sums = [BucketSums.from_json(one) for one in found if one is not None]
        snapshot = self._scores.get(partition.sha256, {}).get("snapshot", "")
        regressed = kind in self._regressed.get(snapshot, {}).get(tenant.name, [])
        return RawLabel.of(BucketSums.merge(sums) if sums else None, regressed=regressed)

    def _tell(self, event: str, **body: Any) -> None:
        found = {"event": event, "at": datetime.now(UTC).isoformat(), **body}
        with (self._out / "events.jsonl").open("a") as file:
            file.write(json.dumps(found, sort_keys=True) + "\n")
        if self._say is not None:
            self._say(found)


def _reads(unit: Unit) -> list[Read]:
    return [Read(part.open(), tenant.schema, tenant.slot) for tenant, part in unit.period]


def _address(stream: str, base: Path) -> str:
    return stream if "://" in stream else str(base / stream)


def _validate(tenant: TenantRun, partition: StreamPartition) -> None:
    """Raises DataError, with column, row and mend, if the file does not hold what its schema promises."""
    source = partition.open()
    with tempfile.NamedTemporaryFile(prefix="exfm-", suffix=".parquet") as copy:
        path = source
        if not isinstance(source, str | os.PathLike):
            shutil.copyfileobj(source, copy)
            copy.flush()
            source.close()
            path = copy.name
        report = validate_partition(str(path), tenant.schema, partition.start, partition.end)
    if report.rows != partition.rows and report.ok:
        raise DataError(
            "data.rows",
            f"Tenant {tenant.name}, partition {partition.uri}: sealed with {partition.rows} rows, its file holds "
            f"{report.rows}.",
            "Seal the stream anew, and start a run in a new folder.",
        )
    if not report.ok:
        raise DataError(
            "data.invalid",
            f"Tenant {tenant.name}, partition {partition.uri}: {report.problems[0].message}",
            "Mend the file, seal the stream anew, and start a run in a new folder.",
        )


def _both(unit: Unit) -> tuple[TenantRun, StreamPartition]:
    assert unit.tenant is not None  # noqa: S101  for the type checker: the plan names both
    assert unit.partition is not None  # noqa: S101
    return unit.tenant, unit.partition


def summary(results: Mapping[str, Any]) -> str:
    """The results as the Markdown tables that `results.md` holds."""
    return markdown(results)
