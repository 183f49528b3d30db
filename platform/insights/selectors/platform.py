"""All tenants at once, for administrators: lift per model and pooled, what the FM costs and who bears it."""

import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from budgets import allocation
from budgets import selectors as budgets
from budgets.models import Line
from budgets.money import ZERO, currency
from insights.selectors import sums
from insights.selectors.cards import Card, card_rows
from insights.selectors.foundation import snapshot_rows
from insights.selectors.lifts import LiftFigure, pooled_figure
from registry import selectors as registry
from registry.models import Binding, FoundationModel, VerticalModel


@dataclass(frozen=True)
class FmBalance:
    """What foundation models cost, and how much of it tenants bear; the rest stays with the platform."""

    training: Decimal
    scoring: Decimal
    allocated: Decimal
    unallocated: Decimal


class TenantsCard(NamedTuple):
    """The card of a model, and whose it is."""

    tenant: str
    card: Card


@dataclass(frozen=True)
class PlatformInsights:
    """Pooled lift, one card per model with its tenant's slug, and the foundation models' balance."""

    pooled: LiftFigure
    cards: list[TenantsCard]
    fm: FmBalance
    currency: str


def platform_insights(*, foundation_model: FoundationModel | None = None) -> PlatformInsights:
    """Return the figures of all tenants, or of the models that one foundation model teaches."""
    models = VerticalModel.objects.order_by("tenant__slug", "name")
    if foundation_model is not None:
        taught = Binding.objects.filter(foundation_model=foundation_model, ended_at=None).values("model_id")
        models = models.filter(id__in=taught)
    slugs = {str(model_id): slug for model_id, slug in models.values_list("id", "tenant__slug")}
    shown = [card for card in card_rows(models) if card.id in slugs]
    figures = sums.totals(comparisons=[card.comparison for card in shown])
    pairs = {scope: [held[scope] for held in figures.values() if scope in held] for scope in ("all", "covered")}
    return PlatformInsights(
        pooled=pooled_figure(pairs["all"], pairs["covered"]),
        cards=[TenantsCard(slugs[card.id], card) for card in shown],
        fm=fm_balance(foundation_model=foundation_model, owed=sum((card.fm_share for card in shown), ZERO)),
        currency=currency(),
    )


def fm_balance(*, foundation_model: FoundationModel | None, owed: Decimal) -> FmBalance:
    """Return the balance; `owed` is what the models' tenants bear together."""
    lines = budgets.fm_cost(foundation_model_id=foundation_model.id if foundation_model else None)
    training, scoring = lines.get(Line.FM_TRAINING, ZERO), lines.get(Line.FM_SCORING, ZERO)
    return FmBalance(training, scoring, owed, training + scoring - owed)


def foundation_detail(*, foundation_model_id: uuid.UUID) -> dict[str, Any]:
    """Return a foundation model with its spec, all snapshots (oldest first), its tenants' slots and its balance."""
    model = registry.foundation_model(foundation_model_id=foundation_model_id)
    version = registry.foundation_version(foundation_model_id=model.id)
    owed = sum(allocation.shares_to_date(foundation_model=model).values(), ZERO)
    return {
        **{name: getattr(model, name) for name in ("id", "name", "period_seconds", "gate", "is_active")},
        "published_id": model.published_id,
        "created_at": model.created_at,
        "spec": version.spec,
        "version": version.number,
        "slots": {slot.tenant.slug: slot.slot for slot in model.slots.select_related("tenant")},
        "snapshots": snapshot_rows(foundation_model=model)[::-1],
        "cost": fm_balance(foundation_model=model, owed=owed),
    }
