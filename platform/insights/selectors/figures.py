"""Everything about a model that only a commit changes: lift, NE, AUC, coverage, teaching, course. Computed once per
commit and process; a page of models that have not grown asks no query for them."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from insights.selectors import auc, sums, supervision
from insights.selectors.comparisons import Comparison
from insights.selectors.lifts import LiftFigure, figure, ne
from insights.selectors.memory import Memory
from insights.selectors.supervision import Teaching

KEPT = 8192
"""Models whose figures a process keeps: about 15 kB each, its 60 points of the course included."""


@dataclass(frozen=True)
class Arms:
    """A figure of both arms."""

    control: float | None
    treatment: float | None


@dataclass(frozen=True)
class SparkPoint:
    """Lift of one partition that ends at `t`."""

    t: datetime
    lift: float | None


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


NOTHING = Figures(figure(None, None))

_figures: Memory[Figures] = Memory(most=KEPT)


def figures(*, comparisons: Iterable[Comparison]) -> dict[uuid.UUID, Figures]:
    """Return model -> figures; models without a commit get `NOTHING`."""
    asked = list(comparisons)
    found = _figures.recall(asked, _load)
    return {held.model_id: found.get(held.model_id, NOTHING) for held in asked}


def _load(comparisons: list[Comparison]) -> dict[uuid.UUID, Figures]:
    totals = sums.totals(comparisons=comparisons)
    sparks = sums.sparks(comparisons=comparisons)
    taught = supervision.teaching(lineage_ids=[held.lead for held in comparisons if held.lead])
    areas = auc.aucs(lineage_ids=[arm for held in comparisons for arm in (held.control, held.treatment) if arm])
    made = {}
    for held in comparisons:
        scopes = totals.get(held.model_id, {})
        everything, covered = scopes.get("all"), scopes.get("covered")
        made[held.model_id] = Figures(
            lift=figure(everything, covered),
            ne=Arms(ne(everything.control), ne(everything.treatment)) if everything else Arms(None, None),
            auc=Arms(_area(areas, held.control), _area(areas, held.treatment)),
            coverage=_coverage(everything, covered),
            teaching=taught.get(held.lead, Teaching()) if held.lead else Teaching(),
            spark=[SparkPoint(t, value) for t, value in sparks.get(held.model_id, [])],
            committed=everything.committed if everything else None,
        )
    return made


def _area(areas: dict[uuid.UUID, float], lineage: uuid.UUID | None) -> float | None:
    return areas.get(lineage) if lineage else None


def _coverage(everything: sums.Totals | None, covered: sums.Totals | None) -> float | None:
    if everything is None or everything.control.rows == 0:
        return None
    return (covered.control.rows if covered else 0) / everything.control.rows
