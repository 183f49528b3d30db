"""The current budget of a tenant: found, rolled over into a new period, and locked for a change."""

import uuid
from datetime import datetime

from budgets.models import Budget
from budgets.periods import month_of
from catalog import limits


def current(*, tenant_id: uuid.UUID, now: datetime) -> Budget | None:
    """Return the budget whose period holds `now`, unlocked; None if the tenant has none for it yet."""
    return Budget.objects.filter(tenant_id=tenant_id, period_start__lte=now, period_end__gt=now).first()


def locked(*, tenant_id: uuid.UUID, now: datetime) -> Budget | None:
    """Return the current budget under a row lock; a new month starts with the last one's amount
    and action. None = no account."""
    rows = Budget.objects.select_for_update().filter(tenant_id=tenant_id, period_start__lte=now, period_end__gt=now)
    found = rows.first()
    if found is not None:
        return found
    limits.hold(tenant_id)
    found = rows.first()
    if found is not None:
        return found
    last = Budget.objects.filter(tenant_id=tenant_id, period_end__lte=now).order_by("-period_start").first()
    if last is None:
        return None
    start, end = month_of(now)
    return Budget.objects.create(
        tenant_id=tenant_id,
        period_start=start,
        period_end=end,
        amount=last.amount,
        action=last.action,
        act_percent=last.act_percent,
    )
