"""What a budget does once the part of it is spent at which it acts: tell, hold new runs, or stop running ones too.

The hard limit (`spent + reserved <= amount`) is not in here: it holds for every action.
"""

import uuid
from collections.abc import Collection
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from budgets.models import Budget
from budgets.money import UNIT, ZERO, exactly
from runs.accounting import Refusal
from runs.models import Run, State

Action = Budget.Action


def reached(*, spent: Decimal, amount: Decimal, percent: int) -> bool:
    """Whether `percent` of the amount is spent. Of nothing no part can be: there the hard limit refuses."""
    return ZERO < amount * percent <= spent * 100


def acts_at(*, amount: Decimal, percent: int) -> Decimal:
    """Return the least sum, in the ledger's units, whose spending reaches `percent` of the amount."""
    return (amount * percent / 100).quantize(UNIT, ROUND_CEILING)


def acts(budget: Budget) -> bool:
    """Whether the part at which the budget acts is spent."""
    return reached(spent=budget.spent, amount=budget.amount, percent=budget.act_percent)


def refusal(budget: Budget, run: Run) -> Refusal | None:
    """Return why the budget's action keeps the run from going on now, or None. Either action lets a queued run wait;
    only `stop` refuses one that has begun."""
    begun = run.started_at is not None
    if budget.action == Action.WARN or (budget.action == Action.HOLD and begun) or not acts(budget):
        return None
    part = (budget.spent * 100 / budget.amount).to_integral_value(ROUND_FLOOR)
    facts = f"{exactly(budget.spent)} of the budget of {exactly(budget.amount)} ({part} %) are spent"
    does = "no new run starts" if budget.action == Action.HOLD else "runs stop at their checkpoint and none starts"
    return Refusal(
        "budget_hold" if run.state == State.QUEUED else "budget_exhausted",
        f"{facts}; from {budget.act_percent} % on {does}. It {'goes on' if begun else 'starts'} by itself once an "
        f"administrator raises the budget or changes what it does, or when the next period begins on "
        f"{budget.period_end:%Y-%m-%d} (UTC).",
    )


def held_back(*, runs: Collection[Run], now: datetime) -> dict[uuid.UUID, Refusal]:
    """Return, by run, why budgets keep these runs from going on. Read without a lock: whoever reserves asks again."""
    owners = {run.tenant_id for run in runs if run.tenant_id is not None}
    if not owners:
        return {}
    current = Budget.objects.filter(tenant_id__in=owners, period_start__lte=now, period_end__gt=now)
    budgets = {budget.tenant_id: budget for budget in current}
    asked = {run.id: refusal(budgets[run.tenant_id], run) for run in runs if run.tenant_id in budgets}
    return {run_id: found for run_id, found in asked.items() if found is not None}
