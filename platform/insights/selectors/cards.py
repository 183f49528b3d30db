"""Model cards: what each model gets from the foundation model, and what it costs. Queries per page are fixed."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from budgets import selectors as budgets
from budgets.models import Quota
from budgets.money import UNIT, ZERO
from insights.selectors import shares
from insights.selectors.comparisons import Comparison, Course, comparisons
from insights.selectors.figures import Arms, SparkPoint, figures
from insights.selectors.lifts import LiftFigure
from insights.selectors.supervision import Teaching
from registry import selectors as registry
from registry.models import ModelVersion, VerticalModel


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
    spark: Sequence[SparkPoint]
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
    tasks = registry.tasks_of(versions=versions.values())
    known = figures(comparisons=compared.values())
    costs = budgets.cost_by_model(model_ids=ids)
    owed = shares.shares()
    made = []
    for model in models:
        version, held = versions[model.id], known[model.id]
        cost, share = costs.get(model.id, budgets.ModelCost()), owed.get(model.id, ZERO)
        made.append(
            Card(
                model=model,
                version=version,
                comparison=compared[model.id],
                teaching=held.teaching,
                task=tasks[version.id],
                lift=held.lift,
                ne=held.ne,
                auc=held.auc,
                coverage=held.coverage,
                cost=cost.total,
                measurement_cost=cost.measurement,
                fm_share=share,
                cost_per_point=_per_point(cost.total + share, held.lift),
                spark=held.spark,
                updated_at=held.committed or model.created_at,
            )
        )
    return made


def card(*, model_id: uuid.UUID) -> Card:
    """Return one model's card; NotFound if the scope has no such model."""
    return cards(models=[registry.vertical_model(model_id=model_id)])[0]


def quota_for(card: Card) -> Quota:
    """Return the quota with the serving budget that the model must keep."""
    return budgets.quota_of(tenant_id=card.model.tenant_id)


def lineage_rows(card: Card) -> list[Course]:
    """Return the lineages behind the card, control first."""
    return sorted(card.comparison.lineages, key=lambda row: (row.arm, row.created_at))


def _per_point(cost: Decimal, gained: LiftFigure) -> Decimal | None:
    """Money per percent of NE; None while the interval does not lie above zero."""
    if gained.value is None or gained.low is None or gained.low <= 0:
        return None
    return (cost / Decimal(str(gained.value))).quantize(UNIT)
