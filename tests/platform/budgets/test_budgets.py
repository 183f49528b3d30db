"""Budgets and quotas as administrators set them."""

from datetime import timedelta
from decimal import Decimal

import pytest

from budgets import selectors, services
from budgets.models import Budget
from runs.accounting import accounting
from tenancy.errors import DomainError
from tenancy.models import AuditEntry
from tenancy.scope import platform_scope, tenant_scope
from tests.kit import domain

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _platform():
    with platform_scope("test"):
        yield


def test_an_account_opens_with_budget_and_quota() -> None:
    tenant = domain.make_tenant()
    services.open_account(tenant=tenant, amount=Decimal("12.5"), quota={"models_limit": 3})
    spend = selectors.spend(tenant_id=tenant.id)
    assert (spend.budget, spend.spent, spend.reserved, spend.currency) == (Decimal("12.5"), 0, 0, "USD")
    assert spend.period_start < spend.period_end
    assert selectors.limits_of(tenant.id).models == 3
    with pytest.raises(DomainError, match="has a budget already"):
        services.open_account(tenant=tenant, amount=Decimal(1))


def test_in_a_new_month_the_last_budget_goes_on_untouched() -> None:
    """Also before the first charge of the month writes its row."""
    tenant = domain.make_tenant()
    assert selectors.spend(tenant_id=tenant.id).budget == 0
    services.open_account(tenant=tenant, amount=Decimal("12.5"))
    accounting().reserve(run=domain.make_run(tenant), device_seconds=5)
    now = selectors.spend(tenant_id=tenant.id)
    assert now.reserved > 0
    later = selectors.spend(tenant_id=tenant.id, now=now.period_end)
    assert (later.budget, later.spent, later.reserved, later.forecast) == (Decimal("12.5"), 0, 0, 0)
    assert later.period_start == now.period_end
    assert (later.training, later.measurement) == (0, 0)
    assert selectors.spend(tenant_id=tenant.id, now=now.period_start - timedelta(seconds=1)).budget == 0


def test_a_change_needs_a_reason_and_leaves_an_audit_row() -> None:
    tenant = domain.make_tenant()
    services.open_account(tenant=tenant, amount=Decimal(1))
    with pytest.raises(DomainError, match="needs a reason"):
        services.set_budget(tenant=tenant, amount=Decimal(2), reason=" ")
    services.set_budget(tenant=tenant, amount=Decimal(2), reason="Black Friday")
    entry = AuditEntry.objects.get(action="budget.set")
    assert (entry.reason, Decimal(entry.before["amount"]), Decimal(entry.after["amount"])) == ("Black Friday", 1, 2)
    assert entry.tenant_id == tenant.id


def test_a_budget_cannot_fall_below_what_is_committed() -> None:
    tenant = domain.make_tenant()
    services.open_account(tenant=tenant, amount=Decimal(1))
    accounting().reserve(run=domain.make_run(tenant), device_seconds=5000)
    with pytest.raises(DomainError) as caught:
        services.set_budget(tenant=tenant, amount=Decimal("0.4"), reason="less")
    assert caught.value.status == 409
    assert "0.000000 USD spent + 0.500008 USD reserved" in caught.value.message
    assert Budget.objects.get(tenant=tenant).amount == 1
    services.set_budget(tenant=tenant, amount=Decimal("0.500008"), reason="to the limit")


@pytest.mark.parametrize("amount", ["-1", "NaN", "Infinity"])
def test_impossible_amounts_are_refused(amount: str) -> None:
    with pytest.raises(DomainError, match="below zero"):
        services.set_budget(tenant=domain.make_tenant(), amount=Decimal(amount), reason="x")


@pytest.mark.parametrize(("quota", "code"), [({"models": 3}, "quota_unknown"), ({"models_limit": -1}, "quota_invalid")])
def test_impossible_quotas_are_refused(quota: dict[str, int], code: str) -> None:
    with pytest.raises(DomainError) as caught:
        services.set_quota(tenant=domain.make_tenant(), quota=quota, reason="x")
    assert caught.value.code == code


def test_a_tenant_reads_its_own_money_and_writes_none(as_role) -> None:
    tenant, other = domain.make_tenant(), domain.make_tenant()
    for held in (tenant, other):
        services.open_account(tenant=held, amount=Decimal(3))
        accounting().reserve(run=domain.make_run(held), device_seconds=10)
    with as_role("exfm_app"), tenant_scope(tenant.id):
        assert [budget.tenant_id for budget in Budget.objects.all()] == [tenant.id]
        assert {entry.tenant_id for entry in selectors.ledger()} == {tenant.id}
        with pytest.raises(Exception, match="permission denied"):
            services.set_budget(tenant=tenant, amount=Decimal(9), reason="greed")
