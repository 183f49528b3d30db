"""What a tenant paid for in a period, by line and by model, and how its share of the FM's cost came about."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from budgets import allocation
from budgets import selectors as budgets
from budgets.models import Allocation, Line
from budgets.money import ZERO
from budgets.periods import month_of
from insights.selectors import shares
from registry import selectors as registry
from registry.models import FoundationModel, LabelSet

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
    total: Decimal


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
    """`total` and `kinds` are the running period's; models are shown since their registration."""

    currency: str
    start: datetime
    end: datetime
    total: Decimal
    kinds: list[LineTotal]
    models: list[ModelTotal]
    fm: FmCosts


def costs(*, tenant_id: uuid.UUID) -> Costs:
    """Return the costs of the tenant in scope."""
    spend = budgets.spend(tenant_id=tenant_id)
    lines = budgets.cost_by_line(tenant_id=tenant_id, since=spend.period_start, until=spend.period_end)
    rows = _allocations(spend.period_start, spend.period_end)
    share = sum((row.amount for row in rows if row.period_start == month_of(spend.period_start)[0]), ZERO)
    kinds = [LineTotal(line, lines.get(line, ZERO)) for line in (Line.TRAINING, Line.MEASUREMENT)]
    kinds.append(LineTotal(Line.FM_SHARE, share))
    return Costs(
        currency=spend.currency,
        start=spend.period_start,
        end=spend.period_end,
        total=sum((kind.amount for kind in kinds), ZERO),
        kinds=kinds,
        models=_models(),
        fm=FmCosts(share, rows),
    )


def _models() -> list[ModelTotal]:
    paid, owed = budgets.cost_by_model(), shares.shares()
    totals = []
    for model in registry.vertical_models():
        cost, share = paid.get(model.id, budgets.ModelCost()), owed.get(model.id, ZERO)
        totals.append(ModelTotal(model.id, model.name, cost.training, cost.measurement, share, cost.total + share))
    return totals


def _allocations(start: datetime, end: datetime) -> list[AllocationRow]:
    """Closed periods as fixed, then the running one, newest first."""
    closed = Allocation.objects.select_related("foundation_model").order_by("-period_start")
    rows = [
        AllocationRow(
            row.foundation_model.name,
            row.period_start,
            row.period_end,
            row.rows,
            row.rows_total,
            row.cost_total,
            row.amount,
            True,
        )
        for row in closed[:24]
    ]
    teachers = LabelSet.objects.order_by().values("snapshot__foundation_version__model_id").distinct()
    live = []
    for teacher in FoundationModel.objects.filter(id__in=teachers).order_by("name"):
        share = allocation.own_share(foundation_model_id=teacher.id, start=start, end=end)
        if share is not None:
            live.append(
                AllocationRow(
                    teacher.name, start, end, share.rows, share.rows_total, share.cost_total, share.amount, False
                )
            )
    return live + rows
