"""Telling a tenant that a part of its budget is spent, in the transaction that spends it."""

from decimal import Decimal
from typing import Final

from budgets.actions import reached
from budgets.models import Budget
from budgets.money import currency
from tenancy import outbox

PERCENT: Final = (50, 80, 100)
"""Shares of a period's budget whose spending is told, beside the one at which it acts; each once, as spending only
grows."""


def tell_crossed(budget: Budget, *, before: Decimal) -> None:
    """Tell the highest threshold that spending has reached since it was `before`, if it has reached one."""
    crossed = [
        share
        for share in {*PERCENT, budget.act_percent}
        if reached(spent=budget.spent, amount=budget.amount, percent=share)
        and not reached(spent=before, amount=budget.amount, percent=share)
    ]
    if crossed:
        tell(budget, threshold=max(crossed))


def tell(budget: Budget, *, threshold: int) -> None:
    """Tell the tenant that so many percent of its budget are spent."""
    outbox.tell(
        "budget.threshold",
        tenant_id=budget.tenant_id,
        data={
            "threshold": threshold,
            "budget": {
                "period_start": budget.period_start,
                "period_end": budget.period_end,
                "amount": str(budget.amount),
                "spent": str(budget.spent),
                "reserved": str(budget.reserved),
                "currency": currency(),
                "action": budget.action,
                "act_percent": budget.act_percent,
            },
        },
    )
