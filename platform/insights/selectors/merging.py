"""Everything that a model's figures are computed from, added up over its partitions.

Whatever was merged before stays valid when a partition is added, so a commit merges its own partition and no other.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from exfm_core.metrics.histogram import LogitHistogram
from exfm_core.metrics.sums import BucketSums
from insights.selectors import auc, sums, supervision
from insights.selectors.comparisons import Comparison
from insights.selectors.sums import SPARK_POINTS, SparkPoint, Totals
from insights.selectors.supervision import ClaimFacts, Taught


@dataclass(frozen=True)
class Merged:
    """`totals` by scope, `histograms` by arm; `taught` None: no partition carried labels."""

    totals: dict[str, Totals] = field(default_factory=dict)
    histograms: dict[str, LogitHistogram] = field(default_factory=dict)
    taught: Taught | None = None
    spark: list[SparkPoint] = field(default_factory=list)

    def __add__(self, other: "Merged") -> "Merged":
        """Return both together; the partitions must be disjoint."""
        return Merged(
            _added(self.totals, other.totals),
            _added(self.histograms, other.histograms),
            self.taught + other.taught if self.taught and other.taught else self.taught or other.taught,
            sorted([*self.spark, *other.spark], key=lambda point: point.t)[-SPARK_POINTS:],
        )

    def to_json(self) -> dict[str, Any]:
        """Return a form that JSON keeps exactly."""
        return {
            "totals": {scope: _totals_json(held) for scope, held in self.totals.items()},
            "histograms": {arm: held.encode() for arm, held in self.histograms.items()},
            "taught": _taught_json(self.taught) if self.taught else None,
            "spark": [[point.t.isoformat(), point.lift] for point in self.spark],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Merged":
        """Read what `to_json` wrote."""
        return cls(
            {scope: _totals(held) for scope, held in data["totals"].items()},
            {arm: LogitHistogram.decode(held) for arm, held in data["histograms"].items()},
            _taught(data["taught"]) if data["taught"] else None,
            [SparkPoint(datetime.fromisoformat(t), lift) for t, lift in data["spark"]],
        )


def merged(*, comparisons: Iterable[Comparison], partition_id: uuid.UUID | None = None) -> dict[uuid.UUID, Merged]:
    """Return model -> what its committed sums and claims add up to, over all partitions or of one.

    DataError: the sums of a partition are none.
    """
    asked = list(comparisons)
    if not asked:
        return {}
    totals = sums.load_totals(asked, partition_id)
    sparks = sums.sparks(comparisons=asked, partition_id=partition_id)
    leads, arms = [held.lead for held in asked if held.lead], [arm for held in asked for arm in held.arms.values()]
    taught = supervision.taught(lineage_ids=leads, partition_id=partition_id)
    histograms = auc.histograms(lineage_ids=arms, partition_id=partition_id)
    return {
        held.model_id: Merged(
            totals.get(held.model_id, {}),
            {arm: histograms[lineage] for arm, lineage in held.arms.items() if lineage in histograms},
            taught.get(held.lead) if held.lead else None,
            sparks.get(held.model_id, []),
        )
        for held in asked
    }


def _added(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    both = {name: first[name] + second[name] for name in first.keys() & second.keys()}
    return {**first, **second, **both}


def _totals_json(held: Totals) -> dict[str, Any]:
    return {
        "control": held.control.to_json(),
        "treatment": held.treatment.to_json() if held.treatment is not None else None,
        "until": held.until.isoformat(),
        "committed": held.committed.isoformat(),
        "partitions": held.partitions,
    }


def _totals(data: dict[str, Any]) -> Totals:
    return Totals(
        BucketSums.from_json(data["control"]),
        BucketSums.from_json(data["treatment"]) if data["treatment"] else None,
        datetime.fromisoformat(data["until"]),
        datetime.fromisoformat(data["committed"]),
        data["partitions"],
    )


def _taught_json(held: Taught) -> dict[str, Any]:
    return {
        "covered": held.covered,
        "clipped": held.clipped,
        "start": held.start.isoformat(),
        "gate": held.newest.gate,
        "snapshot": str(held.newest.snapshot_id) if held.newest.snapshot_id else None,
        "freshness_seconds": held.newest.freshness_seconds,
    }


def _taught(data: dict[str, Any]) -> Taught:
    snapshot = uuid.UUID(data["snapshot"]) if data["snapshot"] else None
    newest = ClaimFacts(data["gate"], snapshot, data["freshness_seconds"])
    return Taught(data["covered"], data["clipped"], datetime.fromisoformat(data["start"]), newest)
