"""Writes of money that administrators make: accounts, budgets, quotas. Each needs a reason and leaves an audit row."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from budgets import accounts, actions, errors, thresholds
from budgets.models import Budget, Quota, Rate
from budgets.periods import month_of
from budgets.selectors import quota_of
from runs import nudges
from tenancy import audit
from tenancy.models import Tenant

QUOTAS = (
    "concurrent_runs",
    "models_limit",
    "storage_bytes",
    "serving_parameters",
    "serving_flops",
    "serving_latency_us",
)
UNLIMITED = {"serving_latency_us"}
"""Quotas that may be None: no limit."""


@transaction.atomic
def open_account(
    *,
    tenant: Tenant,
    amount: Decimal,
    action: str | None = None,
    act_percent: int | None = None,
    quota: Mapping[str, int | None] | None = None,
    reason: str = "account opened",
) -> Budget:
    """Give a new tenant its budget for this month and its quotas. Conflict if it has a budget."""
    if Budget.objects.filter(tenant=tenant).exists():
        raise errors.account_exists(tenant.slug)
    set_quota(tenant=tenant, quota=quota or {}, reason=reason)
    return set_budget(tenant=tenant, amount=amount, action=action, act_percent=act_percent, reason=reason)


@transaction.atomic
def set_budget(
    *, tenant: Tenant, amount: Decimal, reason: str, action: str | None = None, act_percent: int | None = None
) -> Budget:
    """Change this month's budget; later months start with it. Refused below what is spent and reserved.

    What is None stays as it is; a new budget stops runs at 100 percent. Runs that it held back are looked at again.
    """
    if not reason.strip():
        raise errors.reason_missing()
    if not amount.is_finite() or amount < 0:
        raise errors.not_positive(amount)
    if action is not None and action not in Budget.Action.values:
        raise errors.unknown_action(action, Budget.Action.values)
    if act_percent is not None and not _is_percent(act_percent):
        raise errors.bad_percent(act_percent)
    now = timezone.now()
    budget = accounts.locked(tenant_id=tenant.id, now=now)
    wanted = {"amount": amount, "action": action, "act_percent": act_percent}
    after = {name: value for name, value in wanted.items() if value is not None}
    if budget is None:
        start, end = month_of(now)
        budget = Budget.objects.create(tenant=tenant, period_start=start, period_end=end, **after)
        audit.record("budget.open", budget, after=after, reason=reason)
        return budget
    if amount < budget.spent + budget.reserved:
        raise errors.below_committed(amount, budget.spent, budget.reserved)
    before, acted = {name: getattr(budget, name) for name in after}, actions.acts(budget)
    for name, value in after.items():
        setattr(budget, name, value)
    budget.save(update_fields=list(after))
    audit.record("budget.set", budget, before=before, after=after, reason=reason)
    if actions.acts(budget) and not acted:
        thresholds.tell(budget, threshold=budget.act_percent)
    nudges.dispatch_on_commit()
    return budget


def _is_percent(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 100


@transaction.atomic
def set_quota(*, tenant: Tenant, quota: Mapping[str, int | None], reason: str) -> Quota:
    """Change the named limits; those not named stay. None lifts a limit that may be lifted.

    Runs that wait for another one of their tenant to end are looked at again.
    """
    if not reason.strip():
        raise errors.reason_missing()
    if unknown := sorted(set(quota) - set(QUOTAS)):
        raise errors.unknown_limit(unknown, list(QUOTAS))
    for name, value in quota.items():
        if value is None and name in UNLIMITED:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise errors.bad_limit(name, value)
    held = quota_of(tenant_id=tenant.id)
    before = {name: getattr(held, name) for name in quota}
    for name, value in quota.items():
        setattr(held, name, value)
    held.save()
    audit.record("quota.set", held, before=before, after=dict(quota), reason=reason)
    if "concurrent_runs" in quota:
        nudges.dispatch_on_commit()
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
