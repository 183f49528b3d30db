"""The operators' site: budgets change with their guards and a reason, everything else of money is to look at."""

from collections.abc import Iterator
from datetime import timedelta
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
    """Post the form of the tenant's budget; the action stays unless it is named."""
    held = budget_of(tenant)
    fields = {"action": held.action, "act_percent": str(held.act_percent), **fields}
    return site.post(f"/admin/budgets/budget/{held.id}/change/", fields, follow=True)


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


def test_an_operator_sets_what_the_budget_does(site: Client, tenant: Tenant) -> None:
    answer = change(site, tenant, amount="1", action="hold", act_percent="80", reason="careful")
    assert answer.status_code == 200
    held = budget_of(tenant)
    assert (held.amount, held.action, held.act_percent) == (1, "hold", 80)
    with platform_scope("test"):
        entry = AuditEntry.objects.get(action="budget.set")
    assert (entry.before["action"], entry.after["action"]) == ("stop", "hold")
    assert (entry.before["act_percent"], entry.after["act_percent"]) == (100, 80)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"act_percent": "0"}, "greater than or equal to 1"),
        ({"act_percent": "101"}, "less than or equal to 100"),
        ({"act_percent": "half"}, "Enter a whole number"),
        ({"action": "burn"}, "burn is not one of the available choices"),
    ],
)
def test_what_a_budget_cannot_do_is_refused_beside_the_field(
    site: Client, tenant: Tenant, fields: dict[str, str], sentence: str
) -> None:
    answer = change(site, tenant, amount="2", reason="x", **fields)
    assert sentence in answer.content.decode()
    held = budget_of(tenant)
    assert (held.amount, held.action, held.act_percent) == (1, "stop", 100)


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
    fields = {name: str(getattr(quota, name)) for name in services.QUOTAS if getattr(quota, name) is not None}
    fields |= {"concurrent_runs": "9"}
    site.post(f"/admin/budgets/quota/{quota.id}/change/", {**fields, "reason": "bigger team"})
    with platform_scope("test"):
        assert Quota.objects.get(tenant=tenant).concurrent_runs == 9
        entry = AuditEntry.objects.get(action="quota.set", reason="bigger team")
    assert entry.after == {"concurrent_runs": 9}
    for given, kept in (("250", 250), ("", None)):
        fields |= {"serving_latency_us": given, "reason": f"latency {given}"}
        site.post(f"/admin/budgets/quota/{quota.id}/change/", fields)
        with platform_scope("test"):
            assert Quota.objects.get(tenant=tenant).serving_latency_us == kept
            assert AuditEntry.objects.get(reason=f"latency {given}".strip()).after == {"serving_latency_us": kept}
    refused = site.post(f"/admin/budgets/quota/{quota.id}/change/", {**fields, "serving_latency_us": "-1"})
    assert "greater than or equal to 0" in refused.content.decode()


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


def test_money_is_shown_with_its_currency_and_periods_by_their_days(site: Client, tenant: Tenant) -> None:
    budget = budget_of(tenant)
    days = f"{budget.period_start:%Y-%m}-01 to {budget.period_end - timedelta(days=1):%Y-%m-%d}"
    for page in ("", f"{budget.id}/change/"):
        shown = site.get(f"/admin/budgets/budget/{page}").content.decode()
        assert days in shown
        assert "0.10 USD" in shown and "0.400008 USD" in shown and "0.100000" not in shown
    assert 'value="1"' in shown
    with platform_scope("test"):
        entry = LedgerEntry.objects.get(kind="settle")
        usage = entry.usage_id
    for page in ("ledgerentry/", f"ledgerentry/{entry.id}/change/", f"usagerecord/{usage}/change/"):
        shown = site.get(f"/admin/budgets/{page}").content.decode()
        assert "0.10 USD" in shown and "0.100000" not in shown
    assert "0.0001 USD" in shown and "1,000<" in shown
    with platform_scope("test"):
        rate = Rate.objects.get(flavor="cpu")
    for page in ("", f"{rate.id}/change/"):
        assert "0.0001 USD" in site.get(f"/admin/budgets/rate/{page}").content.decode()


def test_tables_are_called_by_their_plural(site: Client) -> None:
    front = site.get("/admin/").content.decode()
    assert "Ledger entries" in front and "Audit entries" in front and "ntrys" not in front


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
