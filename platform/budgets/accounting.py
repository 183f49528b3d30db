"""Reserve → settle → release: the port of `runs`, on PostgreSQL. Every call runs inside the caller's transaction.

A run's reservation is what its ledger lines say: Σ reserve − Σ settle − Σ release, per budget. Nothing is charged that
was not reserved, so `spent + reserved <= amount` holds by construction; the table's constraint holds it against bugs.
"""

import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal

from django.db import models
from django.db.models import Case, F, Q, Sum, Value, When
from django.utils import timezone

from budgets import accounts, money, thresholds
from budgets.models import Budget, LedgerEntry, Line, UsageRecord
from budgets.money import ZERO, currency
from budgets.rates import rate_at
from budgets.selectors import quota_of
from catalog import limits
from runs.accounting import Held, Refusal, RunCost
from runs.models import HELD_STATES, Attempt, Run, WorkClaim

Kind = LedgerEntry.Kind
_SIGN = Case(
    When(kind=Kind.RESERVE, then=Value(Decimal(1))),
    When(kind__in=[Kind.SETTLE, Kind.RELEASE], then=Value(Decimal(-1))),
    default=Value(Decimal(0)),
    output_field=models.DecimalField(),
)


def outstanding(*, run_id: uuid.UUID) -> dict[uuid.UUID, Decimal]:
    """Return what the run still has reserved, by budget, oldest period first."""
    rows = (
        LedgerEntry.objects.filter(run_id=run_id, budget__isnull=False)
        .order_by("budget__period_start")
        .values("budget_id", "budget__period_start")
        .annotate(open=Sum(F("amount") * _SIGN))
    )
    return {row["budget_id"]: row["open"] for row in rows if row["open"] > ZERO}


class DatabaseAccounting:
    """Implements `runs.accounting.Accounting`."""

    def quota_refusal(self, *, run: Run) -> Refusal | None:
        """Refuse one more concurrent run than the tenant's quota."""
        if run.tenant_id is None:
            return None
        limits.hold(run.tenant_id)
        limit = quota_of(tenant_id=run.tenant_id).concurrent_runs
        held = Run.objects.filter(tenant_id=run.tenant_id, state__in=HELD_STATES).exclude(id=run.id).count()
        if held < limit:
            return None
        return Refusal("quota_concurrent_runs", f"{held} of {limit} concurrent runs are in use; one must end first.")

    def reserve(self, *, run: Run, device_seconds: float) -> Refusal | None:
        """Raise the run's reservation to at least what `device_seconds` from now may cost; never lower it."""
        if run.tenant_id is None:
            return None
        now = timezone.now()
        target = money.cap(money.seconds(device_seconds), rate_at(flavor=run.flavor, at=now))
        budget = accounts.locked(tenant_id=run.tenant_id, now=now)
        if budget is None:
            return Refusal("no_budget", "The tenant has no budget; an administrator sets one.")
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

    def costs(self, *, run_ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, RunCost]:
        """Return what each run has cost its owner and still has reserved. What the platform lost on it is not in."""
        own = Q(tenant_id=F("run__tenant_id")) | Q(tenant__isnull=True, run__tenant__isnull=True)
        paid = UsageRecord.objects.filter(own, run_id__in=run_ids).order_by().values("run_id")
        control = Sum("amount", filter=Q(line=Line.MEASUREMENT), default=ZERO)
        spent = {row["run_id"]: row for row in paid.annotate(total=Sum("amount"), control=control)}
        lines = LedgerEntry.objects.filter(run_id__in=run_ids, budget__isnull=False).order_by().values("run_id")
        reserved = {row["run_id"]: row["open"] for row in lines.annotate(open=Sum(F("amount") * _SIGN))}
        nothing = {"total": ZERO, "control": ZERO}
        return {
            run_id: RunCost(
                spent=spent.get(run_id, nothing)["total"],
                measurement=spent.get(run_id, nothing)["control"],
                reserved=reserved.get(run_id, ZERO),
                currency=currency(),
            )
            for run_id in run_ids
        }


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
