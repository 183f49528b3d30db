"""Writes of money that administrators make: accounts, budgets, quotas. Each needs a reason and leaves an audit row."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from budgets import accounts, errors
from budgets.models import Budget, Quota, Rate
from budgets.periods import month_of
from budgets.selectors import quota_of
from tenancy import audit
from tenancy.models import Tenant

QUOTAS = ("concurrent_runs", "models_limit", "storage_bytes", "serving_parameters", "serving_flops")


@transaction.atomic
def open_account(
    *, tenant: Tenant, amount: Decimal, quota: Mapping[str, int] | None = None, reason: str = "account opened"
) -> Budget:
    """Give a new tenant its budget for this month and its quotas. Conflict if it has a budget."""
    if Budget.objects.filter(tenant=tenant).exists():
        raise errors.account_exists(tenant.slug)
    set_quota(tenant=tenant, quota=quota or {}, reason=reason)
    return set_budget(tenant=tenant, amount=amount, reason=reason)


@transaction.atomic
def set_budget(*, tenant: Tenant, amount: Decimal, reason: str) -> Budget:
    """Change this month's budget; later months start with it. Refused below what is spent and reserved."""
    if not reason.strip():
        raise errors.reason_missing()
    if not amount.is_finite() or amount < 0:
        raise errors.not_positive(amount)
    now = timezone.now()
    budget = accounts.locked(tenant_id=tenant.id, now=now)
    if budget is None:
        start, end = month_of(now)
        budget = Budget.objects.create(tenant=tenant, period_start=start, period_end=end, amount=amount)
        audit.record("budget.open", budget, after={"amount": amount}, reason=reason)
        return budget
    if amount < budget.spent + budget.reserved:
        raise errors.below_committed(amount, budget.spent, budget.reserved)
    before, budget.amount = budget.amount, amount
    budget.save(update_fields=["amount"])
    audit.record("budget.set", budget, before={"amount": before}, after={"amount": amount}, reason=reason)
    return budget


@transaction.atomic
def set_quota(*, tenant: Tenant, quota: Mapping[str, int], reason: str) -> Quota:
    """Change the named limits; those not named stay."""
    if not reason.strip():
        raise errors.reason_missing()
    if unknown := sorted(set(quota) - set(QUOTAS)):
        raise errors.unknown_limit(unknown, list(QUOTAS))
    for name, value in quota.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise errors.bad_limit(name, value)
    held = quota_of(tenant_id=tenant.id)
    before = {name: getattr(held, name) for name in quota}
    for name, value in quota.items():
        setattr(held, name, value)
    held.save()
    audit.record("quota.set", held, before=before, after=dict(quota), reason=reason)
    return held


@transaction.atomic
def add_rate(*, flavor: str, per_device_second: Decimal, effective_from: datetime, reason: str) -> Rate:
    """Price a flavor from a date on. Usage already recorded keeps the rate it was recorded with."""
    if not reason.strip():
        raise errors.reason_missing()
    if not per_device_second.is_finite() or per_device_second < 0:
        raise errors.not_positive(per_device_second)
    if Rate.objects.filter(flavor=flavor, effective_from=effective_from).exists():
        raise errors.rate_exists(flavor, effective_from)
    rate = Rate.objects.create(flavor=flavor, per_device_second=per_device_second, effective_from=effective_from)
    audit.record(
        "rate.add",
        rate,
        after={"flavor": flavor, "per_device_second": per_device_second, "effective_from": effective_from},
        reason=reason,
    )
    return rate
