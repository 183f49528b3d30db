"""The first page of a tenant: lift per model, spend against budget, quota, what runs, what needs attention."""

import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import timezone

from budgets import allocation
from budgets import selectors as budgets
from budgets.money import ZERO
from insights.selectors.attention import Item, Watched, attention
from insights.selectors.cards import MODEL, Card, listed_cards
from insights.selectors.comparisons import comparisons
from insights.selectors.facts import Facts, Used, facts, facts_question
from insights.selectors.figures import figures
from insights.selectors.foundation import Foundation, foundation_of, foundation_question
from insights.selectors.shares import taught_question
from runs import selectors as runs
from tenancy.models import Tenant
from tenancy.questions import Question, ask

RUNS_SHOWN = 5
MODELS_SHOWN = 50
"""Cards on the page, by name; the list of models has them all."""


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


_FIRST = "(SELECT id FROM registry_verticalmodel WHERE tenant_id = %(tenant)s ORDER BY name LIMIT %(shown)s) asked"
_LISTED = MODEL.format(asked=_FIRST) + "ORDER BY m.name"


def overview(*, tenant: Tenant) -> Overview:
    """Return the overview of the tenant in scope."""
    now = timezone.now()
    counted, listed, newest, teacher, each, taught = ask(
        facts_question(tenant_id=tenant.id, now=now),
        Question(_LISTED, {"tenant": tenant.id, "shown": MODELS_SHOWN}, fixed=True),
        runs.newest_question(RUNS_SHOWN),
        foundation_question(tenant_id=tenant.id),
        allocation.dues_question(),
        taught_question(),
    )
    known, dues = facts(counted, now=now), allocation.dues_of(each)
    owed = allocation.owed_to_date(dues)
    shown = listed_cards(listed, [[(*key, amount) for key, amount in owed.items()], taught])
    return Overview(
        tenant=tenant,
        spend=known.spend,
        fm_share=sum((due.share.amount for due in dues if due.month == known.spend.period_start), ZERO),
        quota=Quotas(known.held_runs, known.models, known.storage_bytes),
        models=shown,
        runs=runs.newest(newest),
        attention=attention(tenant=tenant, models=_watched(known, shown), spend=known.spend, known=known),
        foundation=foundation_of(teacher, tenant_id=tenant.id, owed=owed),
    )


def _watched(known: Facts, shown: list[Card]) -> list[Watched]:
    """Return the models that need a hand, by name, those without a card on the page included."""
    found = {card.id: card.figures for card in shown}
    if unread := [uuid.UUID(model_id) for model_id in known.watched if model_id not in found]:
        read = figures(comparisons=comparisons(model_ids=unread).values())
        found |= {str(model_id): held for model_id, held in read.items()}
    models = [
        Watched(model_id, name, found[model_id].lift, found[model_id].teaching)
        for model_id, name in known.watched.items()
    ]
    return sorted((model for model in models if model.needs_a_hand), key=lambda model: model.name)
