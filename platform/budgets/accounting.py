"""Reserve → settle → release: the port of `runs`, on PostgreSQL. Every call runs inside the caller's transaction.

A run's reservation is what its ledger lines say: Σ reserve − Σ settle − Σ release, per budget. Nothing is charged that
was not reserved, so `spent + reserved <= amount` holds by construction; the table's constraint holds it against bugs.
"""

import uuid
from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal

from django.db import connection
from django.utils import timezone

from budgets import accounts, actions, money, thresholds
from budgets.models import Budget, LedgerEntry, Line, UsageRecord
from budgets.money import ZERO, currency
from budgets.rates import rate_at
from budgets.selectors import concurrent_runs
from runs.accounting import Held, Refusal, RunCost
from runs.models import Attempt, Run, WorkClaim

Kind = LedgerEntry.Kind
_KINDS = {"reserve": Kind.RESERVE, "settle": Kind.SETTLE, "release": Kind.RELEASE}
_OPEN = """
    coalesce(sum(CASE l.kind
        WHEN %(reserve)s THEN l.amount WHEN %(settle)s THEN -l.amount WHEN %(release)s THEN -l.amount
    END), 0)
"""
"""What is still reserved by ledger lines `l`: the rule above, for both questions below."""

_BY_BUDGET = f"""
    SELECT b.id, {_OPEN} FROM budgets_ledgerentry l JOIN budgets_budget b ON b.id = l.budget_id
    WHERE l.run_id = %(run)s GROUP BY b.id ORDER BY b.period_start
"""  # noqa: S608
_COST = f"""
    SELECT coalesce(paid.total, 0) AS spent, coalesce(paid.control, 0) AS measurement, held.open AS reserved
    FROM (
        SELECT sum(amount) AS total, sum(amount) FILTER (WHERE line = %(measurement)s) AS control
        FROM budgets_usagerecord WHERE run_id = r.id AND tenant_id IS NOT DISTINCT FROM r.tenant_id
    ) AS paid, (
        SELECT {_OPEN} AS open FROM budgets_ledgerentry l WHERE l.run_id = r.id AND l.budget_id IS NOT NULL
    ) AS held
""" % {name: f"'{value}'" for name, value in {"measurement": Line.MEASUREMENT, **_KINDS}.items()}  # noqa: S608


def outstanding(*, run_id: uuid.UUID) -> dict[uuid.UUID, Decimal]:
    """Return what the run still has reserved, by budget, oldest period first."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_BUDGET, {"run": run_id, **_KINDS})
        return {budget_id: held for budget_id, held in cursor.fetchall() if held > ZERO}


class DatabaseAccounting:
    """Implements `runs.accounting.Accounting`."""

    def concurrent_runs(self, *, tenant_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, int]:
        """Return how many runs each of these tenants may hold at once, by its quota."""
        return concurrent_runs(tenant_ids=tenant_ids)

    def held_back(self, *, runs: Collection[Run], now: datetime) -> Mapping[uuid.UUID, Refusal]:
        """Return, by run, why its tenant's budget keeps it from starting."""
        return actions.held_back(runs=runs, now=now)

    def reserve(self, *, run: Run, device_seconds: float) -> Refusal | None:
        """Raise the run's reservation to at least what `device_seconds` from now may cost; never lower it.

        Refused too where the budget acts and its action is about this run.
        """
        if run.tenant_id is None:
            return None
        now = timezone.now()
        target = money.cap(money.seconds(device_seconds), rate_at(flavor=run.flavor, at=now))
        budget = accounts.locked(tenant_id=run.tenant_id, now=now)
        if budget is None:
            return Refusal("no_budget", "The tenant has no budget; an administrator sets one.")
        refusal = actions.refusal(budget, run)
        if refusal is not None:
            return refusal
        missing = target - sum(outstanding(run_id=run.id).values(), ZERO)
        if missing <= ZERO:
            return None
        left = budget.amount - budget.spent - budget.reserved
        if missing > left:
            unit = currency()
            return Refusal(
                "budget_exhausted",
                f"The next step may cost {missing} {unit} more; {left} {unit} of the budget of {budget.amount} {unit} "
                f"are left ({budget.spent} spent, {budget.reserved} reserved). An administrator can raise the budget.",
            )
        _move(budget, reserved=missing)
        LedgerEntry.objects.create(
            tenant_id=run.tenant_id, kind=Kind.RESERVE, amount=missing, budget=budget, run=run, memo=f"{run.kind} step"
        )
        return None

    def settle(self, *, run: Run, attempt: Attempt, claim: WorkClaim | None, held: Held) -> None:
        """Charge what was held. A tenant pays at most what it reserved; lost work and excess are the platform's."""
        rate = rate_at(flavor=run.flavor, at=timezone.now())
        for line, device_seconds in held.seconds_by_line.items():
            taken = money.seconds(device_seconds)
            if taken <= ZERO:
                continue
            if run.tenant_id is None or line == Line.LOST:
                self._platform_pays(run, attempt, claim if line != Line.LOST else None, Line(line), taken, rate)
            else:
                self._tenant_pays(run, attempt, claim, Line(line), taken, rate)

    def _tenant_pays(
        self, run: Run, attempt: Attempt, claim: WorkClaim | None, line: Line, taken: Decimal, rate: Decimal
    ) -> None:
        amount = money.charge(taken, rate)
        reservations = outstanding(run_id=run.id)
        paid = min(amount, sum(reservations.values(), ZERO))
        own = taken if paid == amount else money.seconds(float(taken * paid / amount))
        usage = _usage(run, attempt, claim, line, own, rate, paid, tenant_id=run.tenant_id)
        rest = paid
        for budget in Budget.objects.select_for_update().filter(id__in=reservations).order_by("period_start"):
            part = min(rest, reservations[budget.id])
            if part <= ZERO:
                break
            _move(budget, spent=part, reserved=-part)
            LedgerEntry.objects.create(
                tenant_id=run.tenant_id, kind=Kind.SETTLE, line=line, amount=part, budget=budget, run=run, usage=usage
            )
            rest -= part
        if paid < amount:
            self._platform_pays(run, attempt, None, Line.LOST, taken - own, rate, memo="beyond the reservation")

    def _platform_pays(
        self,
        run: Run,
        attempt: Attempt,
        claim: WorkClaim | None,
        line: Line,
        taken: Decimal,
        rate: Decimal,
        memo: str = "",
    ) -> None:
        amount = money.charge(taken, rate)
        usage = _usage(run, attempt, claim, line, taken, rate, amount, tenant_id=None)
        LedgerEntry.objects.create(
            tenant_id=None, kind=Kind.SETTLE, line=line, amount=amount, run=run, usage=usage, memo=memo
        )

    def release(self, *, run: Run) -> None:
        """Give back all that the run still has reserved. Idempotent."""
        if run.tenant_id is None:
            return
        reservations = outstanding(run_id=run.id)
        for budget in Budget.objects.select_for_update().filter(id__in=reservations).order_by("period_start"):
            _move(budget, reserved=-reservations[budget.id])
            LedgerEntry.objects.create(
                tenant_id=run.tenant_id, kind=Kind.RELEASE, amount=reservations[budget.id], budget=budget, run=run
            )

    def cost_of_run(self) -> RunCost:
        """Return the statement; what the platform lost on a run is not in."""
        return RunCost(_COST, currency())


def _move(budget: Budget, *, spent: Decimal = ZERO, reserved: Decimal = ZERO) -> None:
    """Change a locked budget's counters."""
    before = budget.spent
    budget.spent += spent
    budget.reserved += reserved
    budget.save(update_fields=["spent", "reserved"])
    thresholds.tell_crossed(budget, before=before)


def _usage(
    run: Run,
    attempt: Attempt,
    claim: WorkClaim | None,
    line: Line,
    taken: Decimal,
    rate: Decimal,
    amount: Decimal,
    *,
    tenant_id: uuid.UUID | None,
) -> UsageRecord:
    return UsageRecord.objects.create(
        tenant_id=tenant_id,
        run=run,
        attempt=attempt,
        claim=claim,
        foundation_model_id=run.foundation_model_id,
        line=line,
        flavor=run.flavor,
        device_seconds=taken,
        rate=rate,
        amount=amount,
    )
