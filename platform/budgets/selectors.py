"""Reads of money: quotas, budgets, spend by line and model, ledger."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import QuerySet, Sum
from django.utils import timezone

from budgets import accounts, errors
from budgets.models import Budget, LedgerEntry, Line, Quota, UsageRecord
from budgets.money import ZERO, currency
from budgets.periods import month_of
from catalog.limits import Limits
from tenancy.models import Tenant

TENANT_LINES = (Line.TRAINING, Line.MEASUREMENT)


def quota_of(*, tenant_id: uuid.UUID) -> Quota:
    """Return the tenant's quota; the defaults where none is stored."""
    return Quota.objects.filter(tenant_id=tenant_id).first() or Quota(tenant_id=tenant_id)


def limits_of(tenant_id: uuid.UUID) -> Limits:
    """Return what `catalog` and `registry` must not exceed."""
    quota = quota_of(tenant_id=tenant_id)
    return Limits(
        storage_bytes=quota.storage_bytes,
        models=quota.models_limit,
        serving_parameters=quota.serving_parameters,
        serving_flops=quota.serving_flops,
    )


@dataclass(frozen=True)
class Spend:
    """Money of a tenant in a period. `forecast` goes on at the pace so far; the FM share stands outside the budget."""

    currency: str
    period_start: datetime
    period_end: datetime
    budget: Decimal
    spent: Decimal
    reserved: Decimal
    measurement: Decimal
    forecast: Decimal


def spend(*, tenant_id: uuid.UUID, now: datetime | None = None) -> Spend:
    """Return the tenant's money in the period that holds `now`; zeros where it has no budget yet."""
    moment = now or timezone.now()
    budget = accounts.current(tenant_id=tenant_id, now=moment)
    if budget is None:
        start, end = month_of(moment)
        budget = Budget(tenant_id=tenant_id, period_start=start, period_end=end, amount=ZERO, spent=ZERO, reserved=ZERO)
    lines = cost_by_line(tenant_id=tenant_id, since=budget.period_start, until=budget.period_end)
    elapsed = max(moment - budget.period_start, timedelta(days=1))
    whole = budget.period_end - budget.period_start
    pace = Decimal(max(1.0, whole / elapsed)).quantize(Decimal("0.0001"))
    return Spend(
        currency=currency(),
        period_start=budget.period_start,
        period_end=budget.period_end,
        budget=budget.amount,
        spent=budget.spent,
        reserved=budget.reserved,
        measurement=lines.get(Line.MEASUREMENT, ZERO),
        forecast=(budget.spent * pace).quantize(Decimal("0.000001")),
    )


def current_budget(*, tenant: Tenant) -> Budget:
    """Return the tenant's budget of the running period; NotFound where it has none."""
    found = accounts.current(tenant_id=tenant.id, now=timezone.now())
    if found is None:
        raise errors.no_budget(tenant.slug)
    return found


def cost_by_line(*, tenant_id: uuid.UUID, since: datetime, until: datetime) -> dict[str, Decimal]:
    """Return what the tenant paid in `[since, until)`, by line."""
    rows = UsageRecord.objects.filter(tenant_id=tenant_id, created_at__gte=since, created_at__lt=until)
    return {row["line"]: row["total"] for row in rows.order_by().values("line").annotate(total=Sum("amount"))}


@dataclass(frozen=True)
class ModelCost:
    """What a vertical model has cost so far: training, and the control arm's measurement."""

    training: Decimal = ZERO
    measurement: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """Training and measurement together."""
        return self.training + self.measurement


def cost_by_model(
    *,
    model_ids: Collection[uuid.UUID] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> dict[uuid.UUID, ModelCost]:
    """Return what each vertical model in scope (or of `model_ids`) has cost its tenant, ever or in `[since, until)`."""
    rows = UsageRecord.objects.filter(tenant__isnull=False, run__model__isnull=False, line__in=TENANT_LINES)
    if model_ids is not None:
        rows = rows.filter(run__model_id__in=model_ids)
    if since is not None:
        rows = rows.filter(created_at__gte=since)
    if until is not None:
        rows = rows.filter(created_at__lt=until)
    lines: dict[uuid.UUID, dict[str, Decimal]] = {}
    for row in rows.order_by().values("run__model_id", "line").annotate(total=Sum("amount")):
        lines.setdefault(row["run__model_id"], {})[row["line"]] = row["total"]
    return {
        model: ModelCost(training=held.get(Line.TRAINING, ZERO), measurement=held.get(Line.MEASUREMENT, ZERO))
        for model, held in lines.items()
    }


def fm_cost(*, foundation_model_id: uuid.UUID | None = None) -> dict[str, Decimal]:
    """Return what foundation models have cost the platform so far, by line; only the platform sees these rows."""
    rows = UsageRecord.objects.filter(line__in=(Line.FM_TRAINING, Line.FM_SCORING))
    if foundation_model_id is not None:
        rows = rows.filter(foundation_model_id=foundation_model_id)
    return {row["line"]: row["total"] for row in rows.order_by().values("line").annotate(total=Sum("amount"))}


def ledger() -> QuerySet[LedgerEntry]:
    """Return the ledger in scope, newest first."""
    return LedgerEntry.objects.select_related("run", "run__model", "budget").order_by("-id")
