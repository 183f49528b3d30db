"""Telling a tenant that a part of its budget is spent, in the transaction that spends it."""

from decimal import Decimal
from typing import Final

from budgets.models import Budget
from budgets.money import currency
from tenancy import outbox

PERCENT: Final = (50, 80, 100)
"""Shares of a period's budget whose spending is told; each once, as spending only grows."""


def tell_crossed(budget: Budget, *, before: Decimal) -> None:
    """Tell the highest threshold that spending has reached since it was `before`, if it has reached one."""
    reached = [share for share in PERCENT if before * 100 < budget.amount * share <= budget.spent * 100]
    if not reached:
        return
    outbox.tell(
        "budget.threshold",
        tenant_id=budget.tenant_id,
        data={
            "threshold": max(reached),
            "budget": {
                "period_start": budget.period_start,
                "period_end": budget.period_end,
                "amount": str(budget.amount),
                "spent": str(budget.spent),
                "reserved": str(budget.reserved),
                "currency": currency(),
            },
        },
    )
