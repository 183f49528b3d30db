"""Who pays for a foundation model: its training and scoring, shared by rows labelled, to the last 0.000001.

The rule itself is the database function `budgets_fm_shares` (migration 0007), which also answers tenants' processes.
Periods are whole months (UTC), as its totals are.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, LiteralString

from django.db import connection, transaction
from django.utils import timezone

from budgets import errors
from budgets.models import Allocation, LedgerEntry, Line, MonthlyCost
from budgets.money import ZERO
from budgets.periods import month_of, next_month
from registry.models import FoundationModel
from tenancy import audit
from tenancy.questions import Question, ask
from tenancy.scope import current_scope, owned

_LINES = (Line.FM_TRAINING, Line.FM_SCORING)

SETTLED = timedelta(days=1)
"""How long after a month's end no transaction is under way that began in it."""


@dataclass(frozen=True)
class Share:
    """A tenant's part of a foundation model's cost in a period, and what it is computed from."""

    tenant_id: uuid.UUID
    rows: int
    rows_total: int
    cost_total: Decimal
    amount: Decimal


def compute(*, foundation_model_id: uuid.UUID, start: datetime, end: datetime) -> list[Share]:
    """Return every tenant's share of the cost in `[start, end)` as it stands now; the platform's processes only.

    The amounts sum to the cost exactly; where nobody's rows were labelled the list is empty: the platform pays.
    """
    return _ask("SELECT * FROM budgets_fm_shares(%s, %s, %s) ORDER BY tenant_id", foundation_model_id, start, end)


@dataclass(frozen=True)
class Due:
    """A tenant's share of one foundation model in one month; `closed`: fixed, else as it stands now."""

    foundation_model_id: uuid.UUID
    foundation_model: str
    month: datetime
    closed: bool
    share: Share


_DUES = """
    WITH fixed AS (
        SELECT foundation_model_id, period_start AS month, tenant_id, rows, rows_total, cost_total, amount
        FROM budgets_allocation WHERE {owned}
    ), moving AS (
        SELECT DISTINCT foundation_model_id, month FROM budgets_monthlyrows WHERE {owned}
        EXCEPT SELECT foundation_model_id, month FROM fixed
    ), due AS (
        SELECT *, true AS closed FROM fixed
        UNION ALL
        SELECT m.foundation_model_id, m.month, s.*, false FROM moving m, LATERAL {function}(
            m.foundation_model_id, m.month, ((m.month AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC'
        ) s
    )
"""
"""Only months in which somebody's rows were labelled are shared at all."""

_EACH = """
    SELECT f.id, f.name, d.month, d.closed, d.tenant_id, d.rows, d.rows_total, d.cost_total, d.amount
    FROM due d JOIN registry_foundationmodel f ON f.id = d.foundation_model_id
    ORDER BY d.month DESC, f.name, d.tenant_id
"""
_TO_DATE = "SELECT foundation_model_id, tenant_id, sum(amount) FROM due GROUP BY 1, 2"

Owed = dict[tuple[uuid.UUID, uuid.UUID], Decimal]
"""(foundation model, tenant) -> money."""


def dues() -> list[Due]:
    """Return every share, newest month first: closed months as fixed, the others as they stand now.

    In a tenant's scope the answer holds that tenant alone, which is all that tenants' processes may ask.
    """
    (answer,) = ask(dues_question())
    return dues_of(answer)


def dues_question() -> Question:
    """Ask for every share; `dues_of` reads the answer."""
    return _question(_EACH)


def dues_of(answer: Iterable[tuple[Any, ...]]) -> list[Due]:
    """Return every share; see `dues`."""
    return [Due(teacher, name, month, closed, Share(*share)) for teacher, name, month, closed, *share in answer]


def to_date_question() -> Question:
    """Ask for what is owed so far; `to_date` reads the answer."""
    return _question(_TO_DATE)


def to_date(answer: Iterable[tuple[uuid.UUID, uuid.UUID, Decimal]]) -> Owed:
    """Return what is owed so far; see `to_date_question`."""
    return {(teacher, tenant): amount for teacher, tenant, amount in answer}


def _question(wanted: str) -> Question:
    tenant_id = current_scope().tenant_id
    function = "budgets_fm_shares" if tenant_id is None else "budgets_my_fm_share"
    statement = _DUES.format(owned=owned("tenant_id"), function=function) + wanted
    return Question(statement, {"tenant": tenant_id} if tenant_id else {}, fixed=True)


def owed_to_date(found: Iterable[Due] | None = None) -> Owed:
    """Return what is owed so far (`found`: what `dues` has returned)."""
    total: Owed = {}
    for due in dues() if found is None else found:
        key = due.foundation_model_id, due.share.tenant_id
        total[key] = total.get(key, ZERO) + due.share.amount
    return total


def shares_to_date(*, foundation_model: FoundationModel) -> dict[uuid.UUID, Decimal]:
    """Return what tenants owe for one foundation model so far; see `owed_to_date`."""
    owed = owed_to_date().items()
    return {tenant: amount for (teacher, tenant), amount in owed if teacher == foundation_model.id}


def _ask(query: LiteralString, *values: uuid.UUID | datetime) -> list[Share]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return [Share(*row) for row in cursor.fetchall()]


@transaction.atomic
def close(*, foundation_model: FoundationModel, start: datetime, end: datetime) -> list[Allocation]:
    """Fix the shares of a period that is over and write them to the ledger: what tenants owe, the platform is given.

    Idempotent. A period without labelled rows writes nothing: its cost stays with the platform.
    """
    if end > timezone.now():
        raise errors.period_open(end)
    model = FoundationModel.objects.select_for_update().get(id=foundation_model.id)
    held = list(Allocation.objects.filter(foundation_model=model, period_start=start))
    if held:
        return held
    shares = compute(foundation_model_id=model.id, start=start, end=end)
    if not shares:
        return []
    made = Allocation.objects.bulk_create(
        Allocation(
            tenant_id=share.tenant_id,
            foundation_model=model,
            period_start=start,
            period_end=end,
            rows=share.rows,
            rows_total=share.rows_total,
            cost_total=share.cost_total,
            amount=share.amount,
        )
        for share in shares
    )
    memo = f"{model.name}, {start:%Y-%m}"
    lines = [(share.tenant_id, share.amount) for share in shares]
    LedgerEntry.objects.bulk_create(
        LedgerEntry(tenant_id=tenant, kind=LedgerEntry.Kind.ALLOCATE, line=Line.FM_SHARE, amount=amount, memo=memo)
        for tenant, amount in [*lines, (None, -sum((amount for _, amount in lines), ZERO))]
    )
    audit.record(
        "allocation.close", model, after={"period_start": start, "cost": shares[0].cost_total, "tenants": len(shares)}
    )
    return made


def close_due(*, now: datetime | None = None) -> int:
    """Close every month that is over and has cost; housekeeping calls it. Returns the number of allocations made.

    A line carries the time at which it was written, and its transaction may commit after the month's end: a month is
    closed `SETTLED` later.
    """
    this_month, _ = month_of((now or timezone.now()) - SETTLED)
    costs = MonthlyCost.objects.filter(line__in=_LINES, month__lt=this_month, amount__gt=0).order_by("month")
    closed = set(Allocation.objects.order_by().values_list("foundation_model_id", "period_start").distinct())
    models = FoundationModel.objects.in_bulk()
    made = 0
    for model_id, start in costs.values_list("foundation_model_id", "month").distinct():
        if model_id is not None and (model_id, start) not in closed:
            made += len(close(foundation_model=models[model_id], start=start, end=next_month(start)))
    return made
