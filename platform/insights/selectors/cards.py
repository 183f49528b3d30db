"""Model cards: what each model gets from the foundation model, and what it costs. Queries per page are fixed."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from budgets import selectors as budgets
from budgets.models import Quota
from budgets.money import UNIT, ZERO
from insights.selectors import auc, shares, sums, supervision
from insights.selectors.comparisons import Comparison, comparisons
from insights.selectors.lifts import LiftFigure, figure, ne
from insights.selectors.supervision import Teaching
from registry import selectors as registry
from registry.models import Lineage, ModelVersion, VerticalModel


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
class Card:
    """One model at a glance. `cost` holds training and measurement; the FM's share stands apart."""

    model: VerticalModel
    version: ModelVersion
    comparison: Comparison
    teaching: Teaching
    task: str
    lift: LiftFigure
    ne: Arms
    auc: Arms
    coverage: float | None
    cost: Decimal
    measurement_cost: Decimal
    fm_share: Decimal
    cost_per_point: Decimal | None
    spark: list[SparkPoint]
    updated_at: datetime

    @property
    def freshness_seconds(self) -> float | None:
        """Freshness gap of the newest labelled partition."""
        return self.teaching.freshness_seconds


def cards(*, models: Sequence[VerticalModel]) -> list[Card]:
    """Return the cards of the models, in their order."""
    ids = [model.id for model in models]
    if not ids:
        return []
    compared = comparisons(model_ids=ids)
    versions = registry.current_versions(model_ids=ids)
    figures = sums.totals(comparisons=compared.values())
    points = sums.sparks(comparisons=compared.values())
    taught = supervision.teaching(lineage_ids=[held.lead for held in compared.values() if held.lead])
    areas = auc.aucs(lineage_ids=[arm for held in compared.values() for arm in (held.control, held.treatment) if arm])
    costs = budgets.cost_by_model()
    owed = shares.shares()
    made = []
    for model in models:
        held, version = compared[model.id], versions[model.id]
        scopes = figures.get(model.id, {})
        everything, covered = scopes.get("all"), scopes.get("covered")
        gained = figure(everything, covered)
        cost, share = costs.get(model.id, budgets.ModelCost()), owed.get(model.id, ZERO)
        made.append(
            Card(
                model=model,
                version=version,
                comparison=held,
                teaching=taught.get(held.lead, Teaching()) if held.lead else Teaching(),
                task=registry.spec_of(version).model.task,
                lift=gained,
                ne=Arms(ne(everything.control), ne(everything.treatment)) if everything else Arms(None, None),
                auc=Arms(_area(areas, held.control), _area(areas, held.treatment)),
                coverage=_coverage(everything, covered),
                cost=cost.total,
                measurement_cost=cost.measurement,
                fm_share=share,
                cost_per_point=_per_point(cost.total + share, gained),
                spark=[SparkPoint(t, value) for t, value in points.get(model.id, [])],
                updated_at=everything.committed if everything else model.created_at,
            )
        )
    return made


def card(*, model_id: uuid.UUID) -> Card:
    """Return one model's card; NotFound if the scope has no such model."""
    return cards(models=[registry.vertical_model(model_id=model_id)])[0]


def quota_for(card: Card) -> Quota:
    """Return the quota with the serving budget that the model must keep."""
    return budgets.quota_of(tenant_id=card.model.tenant_id)


def lineage_rows(card: Card) -> list[Lineage]:
    """Return the lineages behind the card, control first."""
    return sorted(card.comparison.lineages, key=lambda row: (row.arm, row.created_at))


def _area(areas: dict[uuid.UUID, float], lineage: uuid.UUID | None) -> float | None:
    return areas.get(lineage) if lineage else None


def _coverage(everything: sums.Totals | None, covered: sums.Totals | None) -> float | None:
    if everything is None or everything.control.rows == 0:
        return None
    return (covered.control.rows if covered else 0) / everything.control.rows


def _per_point(cost: Decimal, gained: LiftFigure) -> Decimal | None:
    """Money per percent of NE; None while the interval does not lie above zero."""
    if gained.value is None or gained.low is None or gained.low <= 0:
        return None
    return (cost / Decimal(str(gained.value))).quantize(UNIT)
