"""The operators' site: budgets change with their guards and a reason, everything else of money is to look at."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.test import Client

from budgets import services
from budgets.models import Budget, LedgerEntry, Quota, Rate
from runs.accounting import Held, accounting
from tenancy.models import AuditEntry, Tenant, User
from tenancy.scope import platform_scope
from tests.kit import domain
from tests.kit.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> Tenant:
    with platform_scope("test"):
        held = domain.make_tenant()
        services.open_account(tenant=held, amount=Decimal(1))
        run = domain.make_run(held)
        accounting().reserve(run=run, device_seconds=5000)
        accounting().settle(run=run, attempt=domain.make_attempt(run), claim=None, held=Held({"training": 1000.0}))
    return held


@pytest.fixture
def operator() -> User:
    return make_user(is_staff=True, is_superuser=True)


@pytest.fixture
def site(operator: User) -> Iterator[Client]:
    client = Client()
    client.force_login(operator)
    yield client


def budget_of(tenant: Tenant) -> Budget:
    with platform_scope("test"):
        return Budget.objects.get(tenant=tenant)


def change(site: Client, tenant: Tenant, **fields: str):
    """Post the form of the tenant's budget."""
    return site.post(f"/admin/budgets/budget/{budget_of(tenant).id}/change/", fields, follow=True)


def test_an_operator_raises_a_budget_with_a_reason(site: Client, operator: User, tenant: Tenant) -> None:
    answer = change(site, tenant, amount="7.5", reason="launch week")
    assert answer.status_code == 200
    assert budget_of(tenant).amount == Decimal("7.5")
    with platform_scope("test"):
        entry = AuditEntry.objects.get(action="budget.set")
    assert (entry.reason, entry.actor_id, entry.tenant_id) == ("launch week", operator.id, tenant.id)


def test_a_budget_below_what_is_committed_is_refused_beside_the_field(site: Client, tenant: Tenant) -> None:
    answer = change(site, tenant, amount="0.2", reason="savings")
    assert "0.100000 USD spent + 0.400008 USD reserved" in answer.content.decode()
    assert budget_of(tenant).amount == 1


def test_a_change_without_a_reason_is_refused(site: Client, tenant: Tenant) -> None:
    answer = change(site, tenant, amount="3")
    assert "This field is required" in answer.content.decode()
    assert budget_of(tenant).amount == 1


def test_the_counters_cannot_be_edited(site: Client, tenant: Tenant) -> None:
    change(site, tenant, amount="2", reason="x", spent="0", reserved="0")
    held = budget_of(tenant)
    assert (held.amount, held.spent) == (2, Decimal("0.1"))


def test_a_refusal_of_the_service_is_a_sentence(site: Client, tenant: Tenant) -> None:
    moment = {"effective_from_0": "2027-01-01", "effective_from_1": "00:00"}
    fields = {"flavor": "cpu", "per_device_second": "0.5", **moment}
    for _ in range(2):
        answer = site.post("/admin/budgets/rate/add/", {**fields, "reason": "new machines"}, follow=True)
    assert answer.status_code == 200
    assert "already" in answer.content.decode()
    with platform_scope("test"):
        assert Rate.objects.filter(per_device_second=Decimal("0.5")).count() == 1


def test_an_operator_changes_a_quota(site: Client, tenant: Tenant) -> None:
    with platform_scope("test"):
        quota = Quota.objects.get(tenant=tenant)
    fields = {name: str(getattr(quota, name)) for name in services.QUOTAS} | {"concurrent_runs": "9"}
    site.post(f"/admin/budgets/quota/{quota.id}/change/", {**fields, "reason": "bigger team"})
    with platform_scope("test"):
        assert Quota.objects.get(tenant=tenant).concurrent_runs == 9
        entry = AuditEntry.objects.get(action="quota.set", reason="bigger team")
    assert entry.after == {"concurrent_runs": 9}


@pytest.mark.parametrize(
    "page",
    [
        "budgets/budget",
        "budgets/quota",
        "budgets/rate",
        "budgets/ledgerentry",
        "budgets/usagerecord",
        "budgets/allocation",
        "catalog/stream",
        "catalog/partition",
        "registry/foundationmodel",
        "registry/foundationversion",
        "registry/snapshot",
        "registry/verticalmodel",
        "registry/binding",
        "registry/labelset",
    ],
)
def test_every_list_opens(site: Client, tenant: Tenant, page: str) -> None:
    with platform_scope("test"):
        teacher = domain.make_foundation_model()
        stream = domain.make_stream(tenant)
        domain.make_model(stream, teacher)
        domain.make_label_set(domain.make_partition(stream, 1), domain.publish(teacher, domain.hour(0)))
    answer = site.get(f"/admin/{page}/")
    assert answer.status_code == 200
    assert site.get(f"/admin/{page}/?q=team").status_code in {200, 302}


def test_the_ledger_is_read_only(site: Client, tenant: Tenant) -> None:
    with platform_scope("test"):
        entry = LedgerEntry.objects.first()
    assert entry is not None
    address = f"/admin/budgets/ledgerentry/{entry.id}"
    assert site.get(f"{address}/change/").status_code == 200
    assert site.post(f"{address}/change/", {"amount": "0"}).status_code == 403
    assert site.post(f"{address}/delete/", {"post": "yes"}).status_code == 403
    assert site.get("/admin/budgets/ledgerentry/add/").status_code == 403


def test_others_are_sent_to_the_sign_in(tenant: Tenant) -> None:
    client = Client()
    client.force_login(make_user())
    answer = client.get("/admin/budgets/budget/")
    assert answer.status_code == 302
    assert "/admin/login/" in answer.headers["Location"]
