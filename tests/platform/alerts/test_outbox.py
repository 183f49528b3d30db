"""What happens below is told in the same transaction: an event exists if and only if the change does."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from alerts.models import Delivery, WebhookEvent
from budgets import rates
from budgets import services as budgets
from catalog import services as catalog
from catalog.models import Partition
from registry import foundation
from runs.accounting import Held, accounting
from runs.models import State
from runs.states import move
from tenancy.models import Tenant
from tenancy.scope import platform_scope
from tests.kit import domain
from tests.kit.cast import Cast
from tests.platform.alerts.conftest import Make


class Undone(Exception):
    """Raised to roll back."""


def told(tenant: Tenant) -> list[tuple[str, Any]]:
    """Return type and data of the tenant's events."""
    with platform_scope("test"):
        return [(event.type, event.data) for event in WebhookEvent.objects.filter(tenant=tenant).order_by("id")]


@pytest.mark.parametrize("end", [State.SUCCEEDED, State.FAILED, State.CANCELLED])
def test_the_end_of_a_run_is_told_once_and_with_its_transaction(cast: Cast, make: Make, end: State) -> None:
    make(cast.tenant, "https://hooks.example.com/")
    make(cast.elsewhere, "https://hooks.example.com/")
    with platform_scope("test"):
        run = domain.make_run(cast.tenant, domain.make_model(domain.make_stream(cast.tenant)))
        with pytest.raises(Undone), transaction.atomic():
            assert move(run_id=run.id, to=end, token=None, reason_code="x")
            raise Undone
        assert told(cast.tenant) == []
        assert move(run_id=run.id, to=end, token=None, reason_code="x", reason_message="Why.")
        assert not move(run_id=run.id, to=end, token=None)
    ((kind, data),) = told(cast.tenant)
    assert kind == f"run.{end}"
    assert data["run"]["id"] == str(run.id)
    assert data["run"]["reason"] == {"code": "x", "message": "Why."}
    assert data["run"]["model"]["name"]
    assert told(cast.elsewhere) == []
    with platform_scope("test"):
        assert Delivery.objects.get().webhook.tenant_id == cast.tenant.id


def test_the_platforms_own_runs_are_nobodys(cast: Cast, make: Make) -> None:
    make(cast.tenant, "https://hooks.example.com/")
    with platform_scope("test"):
        run = domain.make_run(None, foundation_model=domain.make_foundation_model(), kind="fm.train")
        assert move(run_id=run.id, to=State.FAILED, token=None)
        assert not WebhookEvent.objects.exists()


def test_nothing_is_written_where_nobody_listens(cast: Cast, make: Make) -> None:
    make(cast.tenant, "https://hooks.example.com/", ("run.failed",))
    with platform_scope("test"):
        run = domain.make_run(cast.tenant)
        assert move(run_id=run.id, to=State.SUCCEEDED, token=None)
        assert not WebhookEvent.objects.exists()


def test_partitions_tell_that_they_are_sealed_or_rejected(cast: Cast, make: Make, storage: str) -> None:
    make(cast.tenant, "https://hooks.example.com/")
    with platform_scope("test"):
        stream = domain.make_stream(cast.tenant)
        fields: dict[str, Any] = {"state": Partition.State.UPLOADED, "rows": None, "sealed_at": None, "positives": {}}
        good, bad = domain.make_partition(stream, 0, **fields), domain.make_partition(stream, 1, **fields)
        report = {"sha256": good.sha256, "rows": 7, "positives": {"click": 2}}
        catalog.seal(partition_id=good.id, report=report)
        catalog.seal(partition_id=good.id, report=report)
        catalog.reject(partition_id=bad.id, problems=[{"message": f"problem {n}"} for n in range(50)])
    (first, sealed), (second, rejected) = told(cast.tenant)
    assert (first, second) == ("partition.sealed", "partition.rejected")
    assert (sealed["partition"]["rows"], sealed["partition"]["stream"]["name"]) == (7, stream.name)
    assert len(rejected["partition"]["problems"]) == 10


def test_a_snapshot_is_told_to_the_tenants_it_teaches(cast: Cast, make: Make) -> None:
    make(cast.tenant, "https://hooks.example.com/")
    make(cast.elsewhere, "https://hooks.example.com/")
    with platform_scope("test"):
        model = domain.make_foundation_model()
        foundation.bind_tenant(foundation_model=model, tenant=cast.tenant)
        snapshot = domain.publish(model, domain.hour(1))
    ((kind, data),) = told(cast.tenant)
    assert kind == "snapshot.published"
    assert data["snapshot"]["id"] == str(snapshot.id)
    assert told(cast.elsewhere) == []


def test_each_threshold_of_the_budget_is_told_once(cast: Cast, make: Make) -> None:
    make(cast.tenant, "https://hooks.example.com/", ("budget.threshold",))
    with platform_scope("test"):
        rates.seed()
        budgets.open_account(tenant=cast.tenant, amount=Decimal("1000"))
        run = domain.make_run(cast.tenant)
        attempt = domain.make_attempt(run)
        rate = rates.rate_at(flavor="cpu", at=attempt.started_at)
        budget = budgets.set_budget(tenant=cast.tenant, amount=rate * 1001, reason="a thousand seconds")
        with transaction.atomic():
            assert accounting().reserve(run=run, device_seconds=1000) is None
        budget.refresh_from_db()
        budget = budgets.set_budget(tenant=cast.tenant, amount=budget.reserved, reason="to the last digit")
        for seconds in (400, 90, 20, 200, 100, 300):  # 40, 49, 51, 71, 81 and all of the budget
            with transaction.atomic():
                accounting().settle(run=run, attempt=attempt, claim=None, held=Held({"training": seconds}))
        budget.refresh_from_db()
        assert budget.spent == budget.amount
    events = told(cast.tenant)
    assert [data["threshold"] for _, data in events] == [50, 80, 100]
    assert Decimal(events[-1][1]["budget"]["spent"]) == budget.amount


def test_the_part_at_which_a_budget_acts_is_told_when_spending_or_a_change_reaches_it(cast: Cast, make: Make) -> None:
    make(cast.tenant, "https://hooks.example.com/", ("budget.threshold",))
    with platform_scope("test"):
        rates.seed()
        budgets.open_account(tenant=cast.tenant, amount=Decimal("0.1"), action="hold", act_percent=65)
        run = domain.make_run(cast.tenant, started_at=timezone.now())
        attempt = domain.make_attempt(run)
        for seconds in (400, 240, 20):  # 40, 64 and 66 %
            with transaction.atomic():
                assert accounting().reserve(run=run, device_seconds=seconds) is None
                accounting().settle(run=run, attempt=attempt, claim=None, held=Held({"training": seconds}))
        for percent in (70, 60, 55):
            budgets.set_budget(tenant=cast.tenant, amount=Decimal("0.1"), act_percent=percent, reason="test")
    events = [data for _, data in told(cast.tenant)]
    assert [data["threshold"] for data in events] == [50, 65, 60]
    assert [(data["budget"]["action"], data["budget"]["act_percent"]) for data in events[1:]] == [
        ("hold", 65),
        ("hold", 60),
    ]
