"""Reserve, settle, release: what a run may hold, and who pays."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from budgets import selectors, services
from budgets.accounting import outstanding
from budgets.models import Budget, LedgerEntry, Line, UsageRecord
from runs.accounting import Held, accounting
from runs.models import Kind, Run
from tenancy.models import Tenant
from tenancy.scope import platform_scope
from tests.kit import domain

pytestmark = pytest.mark.django_db

RATE = Decimal("0.0001")


@pytest.fixture
def tenant():
    with platform_scope("test"):
        held = domain.make_tenant()
        services.open_account(tenant=held, amount=Decimal(1))
        yield held


def budget(tenant: Tenant) -> Budget:
    return Budget.objects.get(tenant=tenant)


def open_amount(run: Run) -> Decimal:
    return sum(outstanding(run_id=run.id).values(), Decimal(0))


def test_a_reservation_covers_at_least_what_was_asked_and_is_topped_up(tenant: Tenant) -> None:
    run = domain.make_run(tenant)
    assert accounting().reserve(run=run, device_seconds=100) is None
    first = open_amount(run)
    assert first >= 100 * RATE
    assert accounting().reserve(run=run, device_seconds=50) is None
    assert open_amount(run) == first
    assert accounting().reserve(run=run, device_seconds=200) is None
    assert open_amount(run) >= 200 * RATE
    assert budget(tenant).reserved == open_amount(run)


def test_settling_moves_money_from_reserved_to_spent_and_splits_the_lines(tenant: Tenant) -> None:
    run = domain.make_run(tenant)
    attempt = domain.make_attempt(run)
    accounting().reserve(run=run, device_seconds=100)
    before = budget(tenant).reserved
    held = Held({"training": 30.0, "measurement": 20.0})
    accounting().settle(run=run, attempt=attempt, claim=None, held=held)
    after = budget(tenant)
    assert after.spent == Decimal("0.005")
    assert after.spent + after.reserved == before
    usage = {row.line: row for row in UsageRecord.objects.filter(run=run)}
    assert {line: row.amount for line, row in usage.items()} == {
        "training": Decimal("0.003"),
        "measurement": Decimal("0.002"),
    }
    assert usage["training"].rate == RATE
    accounting().release(run=run)
    accounting().release(run=run)
    assert budget(tenant).reserved == 0
    assert budget(tenant).spent == Decimal("0.005")
    assert open_amount(run) == 0


def test_a_refusal_says_the_numbers(tenant: Tenant) -> None:
    run = domain.make_run(tenant)
    refusal = accounting().reserve(run=run, device_seconds=20_000)
    assert refusal is not None
    assert refusal.code == "budget_exhausted"
    assert "2.000008 USD more; 1.000000 USD of the budget of 1.000000 USD are left" in refusal.message
    assert budget(tenant).reserved == 0


def test_a_tenant_without_a_budget_is_told_so() -> None:
    with platform_scope("test"):
        run = domain.make_run(domain.make_tenant())
        refusal = accounting().reserve(run=run, device_seconds=1)
    assert refusal is not None
    assert refusal.code == "no_budget"


def test_what_exceeds_the_reservation_is_the_platform_s(tenant: Tenant) -> None:
    run = domain.make_run(tenant)
    attempt = domain.make_attempt(run)
    accounting().reserve(run=run, device_seconds=10)
    reserved = budget(tenant).reserved
    accounting().settle(run=run, attempt=attempt, claim=None, held=Held({"training": 100.0}))
    assert (budget(tenant).spent, budget(tenant).reserved) == (reserved, 0)
    lost = UsageRecord.objects.get(tenant=None)
    assert lost.line == Line.LOST
    assert lost.amount + reserved == 100 * RATE


def test_lost_work_is_the_platform_s_and_leaves_the_reservation(tenant: Tenant) -> None:
    run = domain.make_run(tenant)
    attempt = domain.make_attempt(run)
    accounting().reserve(run=run, device_seconds=10)
    before = budget(tenant).reserved
    accounting().settle(run=run, attempt=attempt, claim=None, held=Held({"lost": 4.0}))
    assert budget(tenant).spent == 0
    assert budget(tenant).reserved == before
    assert LedgerEntry.objects.get(kind="settle").tenant_id is None
    assert selectors.cost_by_model() == {}


def test_the_platform_s_runs_need_no_budget() -> None:
    with platform_scope("test"):
        model = domain.make_foundation_model()
        run = domain.make_run(None, foundation_model=model, kind=Kind.FM_TRAIN)
        attempt = domain.make_attempt(run)
        assert accounting().reserve(run=run, device_seconds=10**9) is None
        accounting().settle(run=run, attempt=attempt, claim=None, held=Held({"fm_training": 60.0}))
        accounting().release(run=run)
        usage = UsageRecord.objects.get(run=run)
        assert (usage.tenant_id, usage.foundation_model_id, usage.amount) == (None, model.id, Decimal("0.006"))
        assert selectors.fm_cost(foundation_model_id=model.id) == {"fm_training": Decimal("0.006")}


def test_the_quota_of_concurrent_runs(tenant: Tenant) -> None:
    services.set_quota(tenant=tenant, quota={"concurrent_runs": 2}, reason="test")
    without = domain.make_tenant()
    limits = accounting().concurrent_runs(tenant_ids=[tenant.id, without.id])
    assert limits == {tenant.id: 2, without.id: 4}


def test_a_claim_is_settled_once(tenant: Tenant) -> None:
    run = domain.make_run(tenant)
    attempt = domain.make_attempt(run)
    model = domain.make_foundation_model()
    partition = domain.make_partition(domain.make_stream(tenant))
    snapshot = domain.publish(model, domain.hour(0))
    claim = domain.make_claim(run, None, partition, kind="das.score", snapshot=snapshot)  # type: ignore[arg-type]
    accounting().reserve(run=run, device_seconds=10)
    accounting().settle(run=run, attempt=attempt, claim=claim, held=Held({"training": 1.0}))
    with pytest.raises(IntegrityError, match="usage_once_per_claim"), transaction.atomic():
        accounting().settle(run=run, attempt=attempt, claim=claim, held=Held({"training": 1.0}))


def test_a_run_across_the_turn_of_the_month_pays_from_where_it_reserved(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = domain.make_run(tenant)
    attempt = domain.make_attempt(run)
    old = budget(tenant)
    accounting().reserve(run=run, device_seconds=100)
    monkeypatch.setattr("budgets.accounting.timezone.now", lambda: old.period_end)
    assert accounting().reserve(run=run, device_seconds=150) is None
    new = Budget.objects.get(tenant=tenant, period_start=old.period_end)
    assert (new.amount, new.period_start) == (old.amount, old.period_end)
    assert new.reserved > 0
    accounting().settle(run=run, attempt=attempt, claim=None, held=Held({"training": 120.0}))
    old.refresh_from_db()
    new.refresh_from_db()
    assert old.reserved == 0
    assert old.spent + new.spent == Decimal("0.012")
    accounting().release(run=run)
    new.refresh_from_db()
    assert new.reserved == 0


@pytest.mark.parametrize("table", [LedgerEntry, UsageRecord])
def test_ledger_and_usage_are_append_only(tenant: Tenant, table: type) -> None:
    run = domain.make_run(tenant)
    accounting().reserve(run=run, device_seconds=10)
    accounting().settle(run=run, attempt=domain.make_attempt(run), claim=None, held=Held({"training": 1.0}))
    with pytest.raises(Exception, match=r"permission denied|append-only"), transaction.atomic():
        table.objects.filter(run=run).update(amount=0)
    with pytest.raises(Exception, match=r"permission denied|append-only"), transaction.atomic():
        table.objects.filter(run=run)._raw_delete("default")


def test_the_table_refuses_what_a_bug_would_overspend(tenant: Tenant) -> None:
    with pytest.raises(IntegrityError, match="budget_never_exceeded"), transaction.atomic():
        Budget.objects.filter(tenant=tenant).update(spent=Decimal("1.1"))
