"""Reads of money: quotas, budgets, spend by line and model, ledger."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import QuerySet, Sum
from django.utils import timezone

from budgets import accounts, actions, errors
from budgets.models import Budget, CostToDate, LedgerEntry, Line, MonthlyCost, Quota
from budgets.money import ZERO, currency
from budgets.periods import month_of
from catalog.limits import Limits
from tenancy.models import Tenant


def quota_of(*, tenant_id: uuid.UUID) -> Quota:
    """Return the tenant's quota; the defaults where none is stored."""
    return Quota.objects.filter(tenant_id=tenant_id).first() or Quota(tenant_id=tenant_id)


def concurrent_runs(*, tenant_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    """Return how many runs each of these tenants may hold at once; the default where no quota is stored."""
    stored = Quota.objects.filter(tenant_id__in=tenant_ids).values_list("tenant_id", "concurrent_runs")
    return {tenant_id: Quota().concurrent_runs for tenant_id in tenant_ids} | dict(stored)


def limits_of(tenant_id: uuid.UUID) -> Limits:
    """Return what `catalog` and `registry` must not exceed."""
    quota = quota_of(tenant_id=tenant_id)
    return Limits(
        storage_bytes=quota.storage_bytes,
        models=quota.models_limit,
        serving_parameters=quota.serving_parameters,
        serving_flops=quota.serving_flops,
        serving_latency_us=quota.serving_latency_us,
    )


@dataclass(frozen=True)
class Spend:
    """Money of a tenant in a period; `training` and `measurement` (the control arms) are what it was for.

    `forecast` goes on at the pace so far; `action` is taken once `act_percent` of the budget are spent. The FM
    share stands outside the budget.
    """

    currency: str
    period_start: datetime
    period_end: datetime
    budget: Decimal
    spent: Decimal
    reserved: Decimal
    training: Decimal
    measurement: Decimal
    forecast: Decimal
    action: str
    act_percent: int

    @property
    def acts(self) -> bool:
        """Whether the part at which the budget acts is spent."""
        return actions.reached(spent=self.spent, amount=self.budget, percent=self.act_percent)

    @property
    def acts_at(self) -> Decimal:
        """The least sum whose spending reaches that part."""
        return actions.acts_at(amount=self.budget, percent=self.act_percent)


SPENT = """
    SELECT b.period_start, b.period_end, b.amount, b.spent, b.reserved, c.training, c.measurement,
           b.action, b.act_percent
    FROM budgets_budget b, LATERAL (
        SELECT coalesce(sum(amount) FILTER (WHERE line = 'training'), 0) AS training,
               coalesce(sum(amount) FILTER (WHERE line = 'measurement'), 0) AS measurement
        FROM budgets_monthlycost WHERE tenant_id = b.tenant_id AND month >= b.period_start AND month < b.period_end
    ) AS c
    WHERE b.tenant_id = %(tenant)s AND b.period_start <= %(now)s ORDER BY b.period_start DESC LIMIT 1
"""
"""The newest budget that has begun and what was paid in its months, line by line: what `spend_of` reads."""


def spend(*, tenant_id: uuid.UUID, now: datetime | None = None) -> Spend:
    """Return the tenant's money in the period that holds `now`; zeros where it has no budget yet."""
    moment = now or timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(SPENT, {"tenant": tenant_id, "now": moment})
        return spend_of(cursor.fetchone(), now=moment)


def spend_of(row: Sequence[Any] | None, *, now: datetime) -> Spend:
    """Return the money of a row of `SPENT`, with zeros where there is none.

    A budget whose period is over goes on with its amount in the month that holds `now`, as its next charge will find.
    """
    start, end, amount, spent, reserved, training, measurement, action, act_percent = row or _none(now)
    if end <= now:
        start, end = month_of(now)
        spent = reserved = training = measurement = ZERO
    elapsed = max(now - start, timedelta(days=1))
    pace = Decimal(max(1.0, (end - start) / elapsed)).quantize(Decimal("0.0001"))
    return Spend(
        currency=currency(),
        period_start=start,
        period_end=end,
        budget=amount,
        spent=spent,
        reserved=reserved,
        training=training,
        measurement=measurement,
        forecast=(spent * pace).quantize(Decimal("0.000001")),
        action=action,
        act_percent=act_percent,
    )


def _none(now: datetime) -> tuple[Any, ...]:
    """Return the row of `SPENT` of a tenant that has no budget."""
    new = Budget()
    return (now, now, *[ZERO] * 5, new.action, new.act_percent)


def current_budget(*, tenant: Tenant) -> Budget:
    """Return the tenant's budget of the running period; NotFound where it has none."""
    found = accounts.current(tenant_id=tenant.id, now=timezone.now())
    if found is None:
        raise errors.no_budget(tenant.slug)
    return found


@dataclass(frozen=True)
class ModelCost:
    """What a vertical model has cost so far: training, and the control arm's measurement."""

    training: Decimal = ZERO
    measurement: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """Training and measurement together."""
        return self.training + self.measurement


def cost_by_model(*, model_ids: Collection[uuid.UUID] | None = None) -> dict[uuid.UUID, ModelCost]:
    """Return what each vertical model in scope (or of `model_ids`) that cost something has cost its tenant so far."""
    rows = CostToDate.objects.all()
    if model_ids is not None:
        rows = rows.filter(model_id__in=model_ids)
    costs = rows.values_list("model_id", "training", "measurement")
    return {model_id: ModelCost(training, measurement) for model_id, training, measurement in costs}


def fm_cost(*, foundation_model_id: uuid.UUID | None = None) -> dict[str, Decimal]:
    """Return what foundation models have cost the platform so far, by line; only the platform sees these rows."""
    rows = MonthlyCost.objects.filter(line__in=(Line.FM_TRAINING, Line.FM_SCORING))
    if foundation_model_id is not None:
        rows = rows.filter(foundation_model_id=foundation_model_id)
    return {row["line"]: row["total"] for row in rows.order_by().values("line").annotate(total=Sum("amount"))}


def ledger() -> QuerySet[LedgerEntry]:
    """Return the ledger in scope, newest first."""
    return LedgerEntry.objects.order_by("-id")
