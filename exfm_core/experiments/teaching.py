"""The foundation model's label sets for a stage, taught once: by snapshots 1, 2, 4 … periods old where asked for.

The same order as `exfm_core.train.local.teach`: a period is scored with what was published before it, then trained on.
Delay d scores with the snapshot that had consumed everything up to d − 1 periods before: 1 is the method's own.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from exfm_core.das.scorer import score
from exfm_core.das.snapshots import Snapshot, load_snapshot, refuse_leak, save_snapshot
from exfm_core.experiments import cache
from exfm_core.experiments.cache import Arrays, Cache
from exfm_core.experiments.stage import Stage
from exfm_core.metrics.sums import BucketSums
from exfm_core.spec import FoundationSpec
from exfm_core.train.foundation import FoundationTrainer
from exfm_core.train.foundation_rows import Stream
from exfm_core.train.gate import Limits
from exfm_core.train.local import LocalPartition, Logits


@dataclass(frozen=True, slots=True)
class Teaching:
    """Label sets on disk: ``name`` is their piece of the cache."""

    name: str
    store: Cache

    def labels(self, delay: int, tenant: str, kind: str) -> dict[int, Logits]:
        """Logits by period."""
        path = self.store.folder / f"{self.name}.npz"
        with np.load(path) as found:
            prefix = f"{delay}|{tenant}|{kind}|"
            return {int(name[len(prefix) :]): found[name] for name in found.files if name.startswith(prefix)}

    def sums(self, delay: int, tenant: str, kind: str) -> BucketSums:
        """The FM's own progressive errors on a tenant's rows since the recipe's launch; none where it labelled none."""
        place = f"sums|{delay}|{tenant}|{kind}"
        with np.load(self.store.folder / f"{self.name}.npz") as found:
            return BucketSums(*found[place]) if place in found.files else BucketSums.zeros()

    def regressions(self, tenant: str, kind: str) -> frozenset[int]:
        """Periods labelled by a snapshot that had regressed on that tenant's held-back users."""
        return frozenset(self.about["regressed"].get(f"{tenant}|{kind}", ()))

    @property
    def about(self) -> dict[str, Any]:
        """Seconds of processor time of training, scoring and publishing, rows, parameters, what was not published."""
        with np.load(self.store.folder / f"{self.name}.npz") as found:
            return dict(json.loads(str(found["about"])))


def teach(
    stage: Stage,
    store: Cache,
    foundation: FoundationSpec,
    *,
    seed: int = 0,
    delays: Sequence[int] = (1,),
    tenants: Sequence[str] | None = None,
) -> Teaching:
    """Return the label sets, teaching where they are missing. ``tenants``: whose streams; all by default."""
    foundation = replace(foundation, seed=seed)
    names = tuple(tenants or stage.tenants)
    name = cache.key("labels", stage.name, foundation, tuple(delays), names)
    store.made(name, lambda: _teach(stage, foundation, delays, names))
    return Teaching(name, store)


def _teach(stage: Stage, foundation: FoundationSpec, delays: Sequence[int], names: Sequence[str]) -> Arrays:
    trainer, snapshots = FoundationTrainer(foundation), deque[Snapshot](maxlen=max(delays))
    found: Arrays = {}
    sums: dict[tuple[int, str, str], BucketSums] = {}
    kept: list[int] = []
    seconds = {"train": 0.0, "score": 0.0, "publish": 0.0}
    latest: dict[str, frozenset[str]] = {}
    regressed: dict[str, list[int]] = {}
    for number, period in enumerate(stage.periods):
        period = {name: partition for name, partition in period.items() if name in names}
        if not period:
            continue
        mark = time.process_time()
        for delay in delays:
            if len(snapshots) < delay:
                continue
            snapshot = snapshots[-delay]
            for name, partition in period.items():
                refuse_leak(datetime.fromisoformat(snapshot.watermark), partition.start)
                tenant = stage.tenants[name]
                scored = score(snapshot, partition.open(), tenant.schema, tenant.slot)
                for kind, logits in scored.logits.items():
                    found[f"{delay}|{name}|{kind}|{number}"] = logits
                    if number >= stage.warm_up:
                        place = (delay, name, kind)
                        sums[place] = sums.get(place, BucketSums.zeros()) + scored.sums[kind]
        seconds["score"] += time.process_time() - mark
        for name, kinds in latest.items():
            for kind in kinds:
                regressed.setdefault(f"{name}|{kind}", []).append(number)
        current = snapshots[-1] if snapshots else None
        mark = time.process_time()
        outcome = trainer.train(_streams(stage, period), current, Limits())
        seconds["train"] += time.process_time() - mark
        mark = time.process_time()
        if outcome.judgement.decision == "publish":
            watermark = max(partition.end for partition in period.values()).isoformat()
            data = save_snapshot(trainer.net, foundation, watermark, trainer.slots)
            snapshots.append(load_snapshot(data))
            latest = {name: outcome.judgement.regressed(stage.tenants[name].slot) for name in period}
        else:
            kept.append(number)
            if snapshots:
                snapshots.append(snapshots[-1])
        seconds["publish"] += time.process_time() - mark
    for (delay, name, kind), total in sums.items():
        found[f"sums|{delay}|{name}|{kind}"] = np.stack([total.n, total.y, total.loss, total.p])
    weights = sum(weight.numel() for weight in trainer.net.tables.kernel.weights)
    about = {
        "seconds": seconds,
        "rows": trainer.rows_seen,
        "not_published": kept,
        "regressed": regressed,
        "dense_parameters": sum(weight.numel() for weight in trainer.net.parameters()),
        "embedding_parameters": weights,
    }
    found["about"] = np.array(json.dumps(about))
    return found


def _streams(stage: Stage, period: dict[str, LocalPartition]) -> list[Stream]:
    return [Stream(p.open(), stage.tenants[n].schema, stage.tenants[n].slot) for n, p in period.items()]
