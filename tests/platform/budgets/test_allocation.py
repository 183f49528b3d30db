"""Sharing the foundation model's cost: the database's rule against Python's, and the closing of a period."""

import random
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.utils import timezone

from budgets import allocation
from budgets.models import Allocation, LedgerEntry, MonthlyRows, UsageRecord
from budgets.money import largest_remainder
from budgets.periods import month_of
from registry.models import FoundationModel
from runs.accounting import Held, accounting
from tenancy.errors import DomainError
from tenancy.models import Tenant
from tenancy.scope import platform_scope, tenant_scope
from tests.kit import domain

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _platform():
    with platform_scope("test"):
        yield


def label(model: FoundationModel, rows: dict[Tenant, int], *, hour: int = 0) -> None:
    """Have the FM label that many rows of a new stream of each tenant."""
    snapshot = domain.publish(model, domain.hour(hour))
    for tenant, count in rows.items():
        stream = domain.make_stream(tenant)
        domain.make_label_set(domain.make_partition(stream, 1, rows=count), snapshot)


def spend(model: FoundationModel, **seconds: float) -> None:
    """Have the FM use device-seconds."""
    run = domain.make_run(None, foundation_model=model, kind="fm.train", state="succeeded")
    accounting().settle(run=run, attempt=domain.make_attempt(run), claim=None, held=Held(seconds))


@pytest.mark.parametrize("seed", range(5))
def test_shares_follow_rows_and_sum_to_the_cost_exactly(seed: int) -> None:
    dice = random.Random(seed)
    model = domain.make_foundation_model()
    rows = {domain.make_tenant(): dice.randint(1, 10**7) for _ in range(dice.randint(1, 7))}
    label(model, rows)
    spend(model, fm_training=dice.uniform(0, 1000), fm_scoring=dice.uniform(0, 1000), lost=500.0)
    start, end = month_of(timezone.now())
    shares = allocation.compute(foundation_model_id=model.id, start=start, end=end)
    total = sum(usage.amount for usage in UsageRecord.objects.exclude(line="lost"))
    assert sum(share.amount for share in shares) == total
    expected = largest_remainder(total, {tenant.id: rows[tenant] for tenant in sorted(rows, key=lambda held: held.id)})
    assert {share.tenant_id: share.amount for share in shares} == expected
    assert {share.cost_total for share in shares} == {total}
    assert {share.rows_total for share in shares} == {sum(rows.values())}


@pytest.mark.parametrize("seed", range(6))
def test_the_share_that_a_tenant_reads_is_the_one_that_all_shares_give_it(seed: int, as_role) -> None:
    """Also where remainders are equal, and where a tenant's rows lie in several streams and months."""
    dice = random.Random(seed)
    model, other = domain.make_foundation_model(), domain.make_foundation_model()
    tenants = [domain.make_tenant() for _ in range(dice.randint(2, 12))]
    for hour in range(2):
        label(model, {tenant: dice.choice((1, 1, 2, 7, dice.randint(1, 10**9))) for tenant in tenants}, hour=hour)
    label(other, {tenants[0]: 5})
    spend(model, fm_training=dice.uniform(0, 1e5), fm_scoring=dice.uniform(0, 10))
    spend(other, fm_training=1.0)
    start, end = month_of(timezone.now())
    before = month_of(start - timedelta(days=1))[0]
    MonthlyRows.objects.filter(tenant=dice.choice(tenants)).update(month=before)
    for since, until in ((start, end), (before, start), (before, end)):
        shares = allocation.compute(foundation_model_id=model.id, start=since, end=until)
        assert sum(share.amount for share in shares) in (0, sum(u.amount for u in model.usage.all()))
        found = []
        with as_role("exfm_app"), connection.cursor() as cursor:
            for tenant in tenants:
                with tenant_scope(tenant.id):
                    cursor.execute("SELECT * FROM budgets_my_fm_share(%s, %s, %s)", [model.id, since, until])
                    found += [allocation.Share(*row) for row in cursor.fetchall()]
        assert sorted(found, key=lambda share: share.tenant_id) == shares
        assert found or (since, until) == (before, start)


def test_a_tenant_gets_its_own_share_and_no_other(as_role) -> None:
    model = domain.make_foundation_model()
    first, second, third = (domain.make_tenant() for _ in range(3))
    label(model, {first: 300, second: 700})
    spend(model, fm_training=100.0)
    start, end = month_of(timezone.now())
    with as_role("exfm_app"):
        with tenant_scope(first.id):
            (due,) = allocation.dues()
            assert (due.foundation_model, due.month, due.closed) == (model.name, start, False)
            assert due.share == allocation.Share(first.id, 300, 1000, Decimal("0.01"), Decimal("0.003"))
            assert allocation.shares_to_date(foundation_model=model) == {first.id: Decimal("0.003")}
        with tenant_scope(third.id):
            assert allocation.dues() == []
        with tenant_scope(first.id), pytest.raises(Exception, match="permission denied"), transaction.atomic():
            allocation.compute(foundation_model_id=model.id, start=start, end=end)


def test_cost_without_labelled_rows_stays_with_the_platform() -> None:
    model = domain.make_foundation_model()
    spend(model, fm_training=100.0)
    start, end = month_of(timezone.now())
    assert allocation.compute(foundation_model_id=model.id, start=start, end=end) == []
    assert allocation.shares_to_date(foundation_model=model) == {}


def test_an_open_period_cannot_be_closed() -> None:
    start, end = month_of(timezone.now())
    with pytest.raises(DomainError, match="ends at"):
        allocation.close(foundation_model=domain.make_foundation_model(), start=start, end=end)


def test_a_closed_period_is_fixed_and_the_ledger_balances(monkeypatch: pytest.MonkeyPatch) -> None:
    model = domain.make_foundation_model()
    first, second = domain.make_tenant(), domain.make_tenant()
    label(model, {first: 1, second: 2})
    spend(model, fm_training=100.0)
    live = allocation.shares_to_date(foundation_model=model)
    end = month_of(timezone.now())[1]
    monkeypatch.setattr("budgets.allocation.timezone.now", lambda: end + timedelta(hours=23))
    assert allocation.close_due() == 0  # a transaction of the month may still commit
    later = end + timedelta(days=2)
    monkeypatch.setattr("budgets.allocation.timezone.now", lambda: later)
    assert allocation.close_due() == 2
    assert allocation.close_due() == 0
    assert {row.tenant_id: row.amount for row in Allocation.objects.all()} == live
    assert sum(live.values()) == Decimal("0.01")
    lines = LedgerEntry.objects.filter(kind="allocate")
    assert sum(line.amount for line in lines) == 0
    assert {line.tenant_id: line.amount for line in lines if line.tenant_id} == live
    assert allocation.shares_to_date(foundation_model=model) == live
