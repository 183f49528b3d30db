"""The first page of a tenant: lift per model, spend against budget, quota, what runs, what needs attention."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from budgets import allocation
from budgets import selectors as budgets
from budgets.money import ZERO
from catalog import selectors as catalog
from insights.selectors.attention import Item, Watched, attention
from insights.selectors.cards import Card, cards
from insights.selectors.comparisons import comparisons
from insights.selectors.figures import figures
from insights.selectors.foundation import Foundation, foundation
from registry import selectors as registry
from registry.models import FoundationModel, LabelSet
from runs import selectors as runs
from runs.models import HELD_STATES, Run
from tenancy.models import Tenant

RUNS_SHOWN = 5
MODELS_SHOWN = 50
"""Cards on the page, by name; the list of models has them all."""


@dataclass(frozen=True)
class Used:
    """How much of a quota is in use."""

    used: int
    limit: int


@dataclass(frozen=True)
class Quotas:
    """The quotas with rings on the page."""

    concurrent_runs: Used
    models: Used
    storage_bytes: Used


@dataclass(frozen=True)
class Overview:
    """Everything on the page."""

    tenant: Tenant
    spend: budgets.Spend
    fm_share: Decimal
    quota: Quotas
    models: list[Card]
    runs: list[dict[str, Any]]
    attention: list[Item]
    foundation: Foundation


def overview(*, tenant: Tenant) -> Overview:
    """Return the overview of the tenant in scope."""
    spend = budgets.spend(tenant_id=tenant.id)
    models = cards(models=list(registry.vertical_models()[:MODELS_SHOWN]))
    return Overview(
        tenant=tenant,
        spend=spend,
        fm_share=fm_share(spend=spend),
        quota=_quotas(tenant),
        models=models,
        runs=runs.cards(runs.runs()[:RUNS_SHOWN]),
        attention=attention(tenant=tenant, models=_watched(models), spend=spend),
        foundation=foundation(tenant_id=tenant.id),
    )


def _watched(shown: list[Card]) -> list[Watched]:
    """Return every model of the tenant, those without a card on the page included."""
    if len(shown) < MODELS_SHOWN:
        return [Watched(card.model.id, card.model.name, card.lift, card.teaching) for card in shown]
    names = dict(registry.vertical_models().values_list("id", "name"))
    known = figures(comparisons=comparisons(model_ids=list(names)).values())
    return [Watched(model_id, name, known[model_id].lift, known[model_id].teaching) for model_id, name in names.items()]


def fm_share(*, spend: budgets.Spend) -> Decimal:
    """Return the tenant's share of all foundation models' cost in the period, as it stands now."""
    teachers = LabelSet.objects.order_by().values("snapshot__foundation_version__model_id").distinct()
    total = ZERO
    for teacher in FoundationModel.objects.filter(id__in=teachers):
        share = allocation.own_share(foundation_model_id=teacher.id, start=spend.period_start, end=spend.period_end)
        total += share.amount if share else ZERO
    return total


def _quotas(tenant: Tenant) -> Quotas:
    quota = budgets.quota_of(tenant_id=tenant.id)
    return Quotas(
        concurrent_runs=Used(Run.objects.filter(state__in=HELD_STATES).count(), quota.concurrent_runs),
        models=Used(registry.vertical_models().count(), quota.models_limit),
        storage_bytes=Used(catalog.storage_used(tenant_id=tenant.id), quota.storage_bytes),
    )
