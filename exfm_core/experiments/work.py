"""One piece of work: a vertical model, one seed, all arms of one or more studies, and what they measured."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from exfm_core.data.partitions import column_numpy
from exfm_core.experiments import cache, columns
from exfm_core.experiments.cache import Arrays, Cache
from exfm_core.experiments.stage import Stage
from exfm_core.experiments.teaching import Teaching
from exfm_core.metrics.label_gate import WINDOW, RawLabel
from exfm_core.metrics.sums import BucketSums
from exfm_core.spec import StreamSchema, VerticalSpec
from exfm_core.train.arms import Arm
from exfm_core.train.local import Course, Logits, study

PARTS = 10
"""A course is kept as ten parts of about equal rows, in time order: the first is "the first tenth"."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What to do. ``kind``: task kind of the labels, None for the model's own (another: a foreign-task teacher).

    ``launch``: first period, None for the recipe's. ``join``: periods in one partition of the vertical model.
    ``starter``: a file in the cache that arms with ``starter=True`` begin from. ``columns``: dense columns in the cache
    that the model reads besides its own.
    """

    stage: Stage
    student: str
    seed: int
    arms: tuple[Arm, ...]
    teaching: Teaching | None
    spec: VerticalSpec
    delay: int = 1
    kind: str | None = None
    launch: int | None = None
    join: int = 1
    starter: str | None = None
    columns: str | None = None

    @property
    def schema(self) -> StreamSchema:
        """The schema of the stream that is read."""
        return self.stage.tenants[self.stage.students[self.student].tenant].schema

    @property
    def name(self) -> str:
        """The piece's name in the cache, from all that its result depends on."""
        taught = self.teaching.name if self.teaching else None
        where = (self.stage.name, self.student, self.seed, self.delay, self.kind, self.launch, self.join, self.starter)
        return cache.key("result", where, self.spec, self.arms, taught, *filter(None, [self.columns]))

    def done(self, store: Cache) -> Result:
        """Return the result, working it out where it is missing."""
        return Result.of(store.made(self.name, lambda: self._work(store)))

    def _work(self, store: Cache) -> Arrays:
        tenant = self.stage.students[self.student].tenant
        launch = self.stage.warm_up if self.launch is None else self.launch
        stream = self.stage.stream(tenant, launch, self.join)
        spec = replace(self.spec, seed=self.seed)
        task = self.schema.task(spec.model.task)
        own, own_label = task.kind, task.label
        labels = self.teaching.labels(self.delay, tenant, self.kind or own) if self.teaching else {}
        starter = store.arrays(self.starter)["starter"].tobytes() if self.starter else None
        rows = {t: period[tenant].rows for t, period in enumerate(self.stage.periods) if tenant in period}
        taught = [_labels(labels, rows, numbers) for numbers, _ in stream]
        raw = None
        if self.teaching is not None:
            known = self.teaching.regressions(tenant, self.kind or own)
            raw = [
                RawLabel.of(self._raw_sums(labels, own_label, numbers[0]), regressed=numbers[0] in known)
                for numbers, _ in stream
            ]
        parts, schema = [part for _, part in stream], self.schema
        if self.columns is not None:
            added = store.arrays(self.columns)
            found = [[added[f"{tenant}|{t}"] for t in numbers] for numbers, _ in stream]
            parts = [columns.added(part, more) for part, more in zip(parts, found, strict=True)]
            spec, schema = columns.widened(spec, schema, found[0][0].shape[1])
        wall, used = time.perf_counter(), time.process_time()
        course = study(spec, schema, parts, taught, arms=self.arms, starter=starter, raw=raw)
        used = time.process_time() - used
        return _arrays(course, used, used / (time.perf_counter() - wall))

    def _raw_sums(self, labels: Mapping[int, Logits], label: str, first: int) -> BucketSums | None:
        """The raw label's errors against the model's own task before period ``first``, on as many periods as a window
        of the label gate spans: so that a teacher of a foreign task is seen through as well."""
        tenant = self.stage.students[self.student].tenant
        found = []
        for number in range(max(0, first - WINDOW * self.join), first):
            if number in labels:
                y = column_numpy(pq.read_table(self.stage.periods[number][tenant].open(), columns=[label]).column(0))
                known = np.isfinite(labels[number])
                found.append(BucketSums.of(np.zeros(known.sum(), np.int64), y[known], labels[number][known]))
        return BucketSums.merge(found) if found else None


def _labels(labels: Mapping[int, Logits], rows: Mapping[int, int], numbers: Sequence[int]) -> Logits | None:
    if not any(number in labels for number in numbers):
        return None
    return np.concatenate([labels.get(t, np.full(rows[t], np.nan, np.float32)) for t in numbers])


def _arrays(course: Course, seconds: float, share: float) -> Arrays:
    """``share``: processor time ÷ time passed. Arms take turns within a partition, so it is every arm's."""
    rows = np.array([outcome.rows for outcome in course.outcomes])
    part = np.minimum((np.cumsum(rows) - rows / 2) * PARTS // rows.sum(), PARTS - 1).astype(np.int64)
    arrays: Arrays = {}
    for arm in course.arms:
        sums = [[BucketSums.zeros()] for _ in range(PARTS)]
        for place, outcome in zip(part, course.outcomes, strict=True):
            sums[place].append(outcome.arms[arm].all)
        merged = [BucketSums.merge(found) for found in sums]
        arrays[f"sums|{arm}"] = np.stack([np.stack([m.n, m.y, m.loss, m.p]) for m in merged])
        aucs = [(outcome.rows, outcome.arms[arm].auc) for outcome in course.outcomes]
        arrays[f"auc|{arm}"] = np.array([(n, a) for n, a in aucs if a is not None]).reshape(-1, 2)
    for arm, gates in course.gate_of.items():
        arrays[f"gates|{arm}"] = np.array(gates)
    spent = {arm: share * sum(outcome.seconds.get(arm, 0.0) for outcome in course.outcomes) for arm in course.arms}
    arrays["about"] = np.array(json.dumps({"seconds": seconds, "arms": spent, "arm_names": list(course.arms)}))
    return arrays


@dataclass(frozen=True, slots=True)
class Result:
    """``parts[arm]``: sums of each tenth of the stream. ``gates[arm]``: share of partitions with an open gate.
    ``seconds``: of processor time, ``total`` and by arm."""

    parts: dict[str, tuple[BucketSums, ...]]
    gates: dict[str, npt.NDArray[np.bool_]]
    auc: dict[str, float | None]
    seconds: dict[str, float]

    @classmethod
    def of(cls, arrays: Arrays) -> Result:
        """Read what `Piece.done` stored."""
        about = json.loads(str(arrays["about"]))
        names = about["arm_names"]
        return cls(
            {arm: tuple(BucketSums(*sums) for sums in arrays[f"sums|{arm}"]) for arm in names},
            {name[len("gates|") :]: found for name, found in arrays.items() if name.startswith("gates|")},
            {arm: _mean_auc(arrays[f"auc|{arm}"]) for arm in names},
            {"total": about["seconds"], **about["arms"]},
        )

    def sums(self, arm: str, parts: slice = slice(None)) -> BucketSums:
        """An arm's sums over some tenths of the stream."""
        return BucketSums.merge(self.parts[arm][parts])


def _mean_auc(pairs: npt.NDArray[np.float64]) -> float | None:
    return float(np.average(pairs[:, 1], weights=pairs[:, 0])) if len(pairs) else None
