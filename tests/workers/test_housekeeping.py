"""The daily task: months that are over are closed, after their totals are right."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from budgets import allocation
from budgets.models import Allocation, LedgerEntry, MonthlyRows
from budgets.periods import month_of
from tenancy.models import AuditEntry
from tenancy.scope import platform_scope, tenant_scope
from tests.kit.roles import APP, PLATFORM, database_role
from tests.platform.insights import scene as scenes
from workers import housekeeping, tasks

pytestmark = pytest.mark.django_db


def at(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setattr("budgets.allocation.timezone.now", lambda: now)


def test_a_month_is_closed_once_a_day_after_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with platform_scope("test"):
        mine = scenes.make_scene(partitions=3, covered_from=1)
        other = scenes.make_scene(teacher=mine.teacher, partitions=3, covered_from=2)
        scenes.teach(mine.teacher)
        live = {due.share.tenant_id: due.share for due in allocation.dues()}
        MonthlyRows.objects.filter(tenant=other.tenant).update(rows=1)
    start, end = month_of(timezone.now())
    with database_role(PLATFORM):
        at(monkeypatch, end + timedelta(hours=23))
        with platform_scope("test"):
            assert housekeeping.tidy()["allocations"] == 0
            MonthlyRows.objects.filter(tenant=other.tenant).update(rows=1)
        at(monkeypatch, end + timedelta(hours=25))
        tasks.tidy_task()
        tasks.tidy_task()
    with platform_scope("test"):
        assert {row.tenant_id: row.amount for row in Allocation.objects.all()} == {
            tenant: share.amount for tenant, share in live.items()
        }
        lines = LedgerEntry.objects.filter(kind="allocate")
        assert sum(line.amount for line in lines) == 0
        assert {line.tenant_id: line.amount for line in lines} == {
            mine.tenant.id: Decimal("0.006667"), other.tenant.id: Decimal("0.003333"), None: Decimal("-0.01")
        }  # fmt: skip
        assert AuditEntry.objects.filter(action="allocation.close").count() == 1
    with database_role(APP), tenant_scope(mine.tenant.id):
        (due,) = allocation.dues()
        assert (due.month, due.closed, due.share) == (start, True, live[mine.tenant.id])


def test_a_month_without_labels_or_without_cost_is_not_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    with platform_scope("test"):
        scenes.make_scene(partitions=2)
        unheard = scenes.make_scene(partitions=2, covered_from=2)
        scenes.teach(unheard.teacher)
        at(monkeypatch, month_of(timezone.now())[1] + timedelta(days=2))
        assert housekeeping.tidy()["allocations"] == 0
        assert not Allocation.objects.exists()
        assert not LedgerEntry.objects.filter(kind="allocate").exists()
