"""Everything about a model that only a commit changes: lift, NE, AUC, coverage, teaching, course.

A commit leaves them in `ModelFigures`, and a process remembers what it has read. A row that is missing or stale (an
installation from before that table, sums that no figures can be computed from) is done without: the figures are
computed from the committed sums, as the commit would have, and nothing is written.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from insights.models import ModelFigures
from insights.selectors.comparisons import Comparison
from insights.selectors.lifts import CoveredLift, LiftFigure, figure, ne
from insights.selectors.memory import Memory
from insights.selectors.merging import Merged, merged
from insights.selectors.sums import SparkPoint, Totals
from insights.selectors.supervision import Teaching
from registry.models import Arm

KEPT = 8192
"""Models whose figures a process keeps: about 15 kB each, its 60 points of the course included."""


@dataclass(frozen=True)
class Arms:
    """A figure of both arms."""

    control: float | None
    treatment: float | None


@dataclass(frozen=True)
class Figures:
    """One model's figures as of its last commit; `committed` None: nothing is committed yet."""

    lift: LiftFigure
    ne: Arms = Arms(None, None)
    auc: Arms = Arms(None, None)
    coverage: float | None = None
    teaching: Teaching = field(default_factory=Teaching)
    spark: list[SparkPoint] = field(default_factory=list)
    committed: datetime | None = None

    @classmethod
    def of(cls, held: Merged) -> "Figures":
        """Compute the figures."""
        everything, covered = held.totals.get("all"), held.totals.get("covered")
        return cls(
            lift=figure(everything, covered),
            ne=Arms(ne(everything.control), ne(everything.treatment)) if everything else Arms(None, None),
            auc=Arms(_area(held, Arm.CONTROL), _area(held, Arm.TREATMENT)),
            coverage=_coverage(everything, covered),
            teaching=held.taught.teaching if held.taught else Teaching(),
            spark=held.spark,
            committed=everything.committed if everything else None,
        )

    def to_json(self) -> dict[str, Any]:
        """Return a form that JSON keeps exactly."""
        lift, teaching = replace(self.lift, as_of=None), replace(self.teaching, snapshot_id=None)
        return {
            "lift": {**asdict(lift), "as_of": _text(self.lift.as_of)},
            "ne": asdict(self.ne),
            "auc": asdict(self.auc),
            "coverage": self.coverage,
            "teaching": {**asdict(teaching), "snapshot_id": _text(self.teaching.snapshot_id)},
            "spark": [[point.t.isoformat(), point.lift] for point in self.spark],
            "committed": _text(self.committed),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Figures":
        """Read what `to_json` wrote."""
        lift, teaching = data["lift"], data["teaching"]
        snapshot = teaching["snapshot_id"]
        return cls(
            lift=LiftFigure(**{**lift, "covered": CoveredLift(**lift["covered"]), "as_of": _time(lift["as_of"])}),
            ne=Arms(**data["ne"]),
            auc=Arms(**data["auc"]),
            coverage=data["coverage"],
            teaching=Teaching(**{**teaching, "snapshot_id": uuid.UUID(snapshot) if snapshot else None}),
            spark=[SparkPoint(datetime.fromisoformat(t), lift) for t, lift in data["spark"]],
            committed=_time(data["committed"]),
        )


NOTHING = Figures(figure(None, None))

_figures: Memory[Figures] = Memory(most=KEPT)


def figures(*, comparisons: Iterable[Comparison]) -> dict[uuid.UUID, Figures]:
    """Return model -> figures; models without a commit get `NOTHING`."""
    asked = list(comparisons)
    return {held.model_id: found for held, found in zip(asked, figures_of(asked), strict=True)}


def figures_of(comparisons: Sequence[Comparison]) -> list[Figures]:
    """Return the figures of each, in their order; see `figures`."""
    return [found or NOTHING for found in _figures.recall(comparisons, _load)]


def _load(comparisons: list[Comparison]) -> dict[uuid.UUID, Figures]:
    sources = {held.model_id: held.source for held in comparisons}
    rows = ModelFigures.objects.filter(model_id__in=sources).values_list("model_id", "source", "figures")
    found = {model_id: Figures.from_json(kept) for model_id, source, kept in rows if source == sources[model_id]}
    rest = merged(comparisons=[held for held in comparisons if held.model_id not in found])
    return found | {model_id: Figures.of(held) for model_id, held in rest.items()}


def _area(held: Merged, arm: Arm) -> float | None:
    return held.histograms[arm].auc().value if arm in held.histograms else None


def _coverage(everything: Totals | None, covered: Totals | None) -> float | None:
    if everything is None or everything.control.rows == 0:
        return None
    return (covered.control.rows if covered else 0) / everything.control.rows


def _text(value: datetime | uuid.UUID | None) -> str | None:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if value else None


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
