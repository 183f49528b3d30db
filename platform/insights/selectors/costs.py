"""What a tenant paid for in a period, by line and by model, and how its share of the FM's cost came about."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import CharField, Func, QuerySet

from budgets import allocation
from budgets import selectors as budgets
from budgets.models import Line
from budgets.money import ZERO
from budgets.periods import month_of, next_month
from insights.selectors import shares
from registry.models import VerticalModel

MODELS_SHOWN = 50
DUES_SHOWN = 25
"""Months, the running one included."""

HOW = (
    "The cost of training and scoring with the foundation model is shared by rows labelled in the period, in units of "
    "0.000001; shares sum to the total exactly (largest remainder). It lies outside the budget's hard limit. "
    "The running period is as it stands now; a period without labelled rows stays with the platform."
)


@dataclass(frozen=True)
class LineTotal:
    """Money of one line."""

    kind: str
    amount: Decimal


@dataclass(frozen=True)
class ModelTotal:
    """Money of one model, since it was registered."""

    id: uuid.UUID
    name: str
    training: Decimal
    measurement: Decimal
    fm_share: Decimal

    @property
    def total(self) -> Decimal:
        """All three together."""
        return self.training + self.measurement + self.fm_share


@dataclass(frozen=True)
class RestTotal:
    """Money of the models that a page of costs does not name, and how many they are."""

    models: int
    training: Decimal
    measurement: Decimal
    fm_share: Decimal

    @property
    def total(self) -> Decimal:
        """All three together."""
        return self.training + self.measurement + self.fm_share


@dataclass(frozen=True)
class AllocationRow:
    """One period's share and what it is computed from."""

    foundation_model: str
    period_start: datetime
    period_end: datetime
    rows: int
    rows_total: int
    total: Decimal
    amount: Decimal
    closed: bool


@dataclass(frozen=True)
class FmCosts:
    """The share of the foundation models' cost, in the period and period by period."""

    share: Decimal
    allocations: list[AllocationRow]
    how: str = HOW


@dataclass(frozen=True)
class Costs:
    """`total` and `kinds` are the running period's; models are shown since their registration.

    `models` are the costliest; with `rest` they sum to what all models cost.
    """

    currency: str
    start: datetime
    end: datetime
    spend: budgets.Spend
    total: Decimal
    kinds: list[LineTotal]
    models: list[ModelTotal]
    rest: RestTotal
    fm: FmCosts


def costs(*, tenant_id: uuid.UUID) -> Costs:
    """Return the costs of the tenant in scope."""
    spend, dues = budgets.spend(tenant_id=tenant_id), allocation.dues()
    month, _ = month_of(spend.period_start)
    share = sum((due.share.amount for due in dues if due.month == month), ZERO)
    kinds = [
        LineTotal(Line.TRAINING, spend.training),
        LineTotal(Line.MEASUREMENT, spend.measurement),
        LineTotal(Line.FM_SHARE, share),
    ]
    models, rest = _costliest(tenant_id, allocation.owed_to_date(dues))
    return Costs(
        currency=spend.currency,
        start=spend.period_start,
        end=spend.period_end,
        spend=spend,
        total=sum((kind.amount for kind in kinds), ZERO),
        kinds=kinds,
        models=models,
        rest=rest,
        fm=FmCosts(share, [_allocation(due) for due in dues[:DUES_SHOWN]]),
    )


_TEXT = CharField()

_PLACE = """(
    SELECT lpad((coalesce(training, 0) + coalesce(measurement, 0))::numeric(18, 6)::text, 20, '0') || id::text
    FROM (VALUES (%(expressions)s)) paid(training, measurement, id)
)"""
"""Written out: to compose it by the ORM took longer than the whole statement takes."""


def model_costs() -> QuerySet[VerticalModel, Any]:
    """Return id, name, training and measurement (None: nothing yet) of the models in scope; `place` sorts by both.

    No two models share a place: it is the money in digits of one length, then the id.
    """
    place = Func("cost_to_date__training", "cost_to_date__measurement", "id", template=_PLACE, output_field=_TEXT)
    rows = VerticalModel.objects.order_by().annotate(place=place)
    return rows.values("id", "name", "cost_to_date__training", "cost_to_date__measurement", "place")


def with_shares(rows: Iterable[dict[str, Any]], owed: dict[uuid.UUID, Decimal]) -> list[ModelTotal]:
    """Return the models of `model_costs` with their shares of the foundation models' cost."""
    return [
        ModelTotal(
            row["id"],
            row["name"],
            row["cost_to_date__training"] or ZERO,
            row["cost_to_date__measurement"] or ZERO,
            owed.get(row["id"], ZERO),
        )
        for row in rows
    ]


_COSTLIEST = """
    SELECT v.id, v.name, coalesce(c.training, 0) AS training, coalesce(c.measurement, 0) AS measurement,
           count(*) OVER (), coalesce(sum(c.training) OVER (), 0), coalesce(sum(c.measurement) OVER (), 0)
    FROM registry_verticalmodel v LEFT JOIN budgets_costtodate c ON c.model_id = v.id AND c.tenant_id = %(tenant)s
    WHERE v.tenant_id = %(tenant)s
    ORDER BY coalesce(c.training + c.measurement, 0) DESC, v.id DESC LIMIT %(shown)s
"""
"""The models that cost most, in the order of `model_costs`, and beside each how many there are and what all cost."""


def _costliest(tenant_id: uuid.UUID, owed: allocation.Owed) -> tuple[list[ModelTotal], RestTotal]:
    with connection.cursor() as cursor:
        cursor.execute(_COSTLIEST, {"tenant": tenant_id, "shown": MODELS_SHOWN})
        rows = cursor.fetchall()
    parts, borne = shares.shared(owed, model_ids=[row[0] for row in rows])
    shown = [
        ModelTotal(model, name, training, measurement, parts.get(model, ZERO))
        for model, name, training, measurement, *_ in rows
    ]
    count, training, measurement = rows[0][4:] if rows else (0, ZERO, ZERO)
    rest = RestTotal(
        models=count - len(shown),
        training=training - sum((model.training for model in shown), ZERO),
        measurement=measurement - sum((model.measurement for model in shown), ZERO),
        fm_share=borne - sum((model.fm_share for model in shown), ZERO),
    )
    return shown, rest


def _allocation(due: allocation.Due) -> AllocationRow:
    share = due.share
    return AllocationRow(
        due.foundation_model,
        due.month,
        next_month(due.month),
        share.rows,
        share.rows_total,
        share.cost_total,
        share.amount,
        due.closed,
    )
