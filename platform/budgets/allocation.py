"""Who pays for a foundation model: its training and scoring, shared by rows labelled, to the last 0.000001.

The rule itself is the database function `budgets_fm_shares` (migration 0004), which also answers tenants' processes.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction
from django.utils import timezone
from psycopg import sql

from budgets import errors
from budgets.models import Allocation, LedgerEntry, Line, UsageRecord
from budgets.money import ZERO
from budgets.periods import month_of, next_month
from registry.models import FoundationModel
from tenancy import audit
from tenancy.scope import current_scope

_LINES = (Line.FM_TRAINING, Line.FM_SCORING)


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
    return [share for _, share in _ask("budgets_fm_shares", foundation_model_id, [(start, end)])]


def own_share(*, foundation_model_id: uuid.UUID, start: datetime, end: datetime) -> Share | None:
    """Return the share of the tenant in scope; None where none of its rows were labelled."""
    found = _ask("budgets_my_fm_share", foundation_model_id, [(start, end)])
    return found[0][1] if found else None


def shares_to_date(*, foundation_model: FoundationModel) -> dict[uuid.UUID, Decimal]:
    """Return what tenants owe for the model so far: closed months as fixed, the others as they stand now.

    In a tenant's scope the answer holds that tenant alone, which is all that tenants' processes may ask.
    """
    fixed = Allocation.objects.filter(foundation_model=foundation_model)
    owed: dict[uuid.UUID, Decimal] = {}
    closed: set[datetime] = set()
    for tenant_id, start, amount in fixed.values_list("tenant_id", "period_start", "amount"):
        owed[tenant_id] = owed.get(tenant_id, ZERO) + amount
        closed.add(start)
    open_months = [month for month in _months(foundation_model.created_at) if month[0] not in closed]
    function = "budgets_fm_shares" if current_scope().tenant_id is None else "budgets_my_fm_share"
    for _, share in _ask(function, foundation_model.id, open_months):
        owed[share.tenant_id] = owed.get(share.tenant_id, ZERO) + share.amount
    return owed


def _months(since: datetime) -> list[tuple[datetime, datetime]]:
    months, now = [month_of(since)], timezone.now()
    while months[-1][1] <= now:
        months.append(month_of(months[-1][1]))
    return months


def _ask(
    function: str, foundation_model_id: uuid.UUID, periods: list[tuple[datetime, datetime]]
) -> list[tuple[datetime, Share]]:
    query = sql.SQL(
        "SELECT p.since, s.tenant_id, s.rows, s.rows_total, s.cost_total, s.amount"
        " FROM unnest(%s::timestamptz[], %s::timestamptz[]) AS p(since, until),"
        " LATERAL {}(%s, p.since, p.until) AS s ORDER BY p.since, s.tenant_id"
    ).format(sql.Identifier(function))
    with connection.cursor() as cursor:
        starts, ends = [start for start, _ in periods], [end for _, end in periods]
        cursor.execute(query, [starts, ends, foundation_model_id])
        return [(row[0], Share(*row[1:])) for row in cursor.fetchall()]


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
    """Close every month that is over and has cost; the sweep calls it. Returns the number of allocations made."""
    this_month, _ = month_of(now or timezone.now())
    made = 0
    for model in FoundationModel.objects.all():
        used = UsageRecord.objects.filter(foundation_model=model, line__in=_LINES, created_at__lt=this_month)
        first = used.order_by("created_at").values_list("created_at", flat=True).first()
        closed = set(Allocation.objects.filter(foundation_model=model).values_list("period_start", flat=True))
        start = month_of(first)[0] if first else this_month
        while start < this_month:
            if start not in closed:
                made += len(close(foundation_model=model, start=start, end=next_month(start)))
            start = next_month(start)
    return made
