"""The whole road of a few periods with real children: the teacher trains, its snapshots score, the students learn."""

import pytest

from budgets.models import Budget, LedgerEntry, UsageRecord
from registry.models import LabelSet, Snapshot
from runs.models import Attempt, Consumption, MetricSums, Run, WorkClaim
from tenancy.scope import platform_scope
from tests.workers.world import make_world


@pytest.mark.django_db(transaction=True)
def test_all_periods_are_worked_off_once(storage, listening):
    with platform_scope("test"):
        world = make_world(storage)
        world.seal(range(world.recipe.periods))
    world.work_off()
    with platform_scope("test"):
        failures = list(Attempt.objects.exclude(state="done").values_list("code", "message", "log_tail"))
        assert failures == []
        assert set(Run.objects.values_list("state", flat=True)) == {"succeeded"}
        periods, tenants = world.recipe.periods, len(world.models)
        trained = periods - world.recipe.warm_up
        assert Snapshot.objects.exclude(state="candidate").count() == periods
        assert Consumption.objects.filter(lineage__arm="fm").count() == periods * tenants
        assert Consumption.objects.filter(lineage__arm="treatment").count() == trained * tenants
        assert Consumption.objects.filter(lineage__arm="control").count() == trained * tenants
        assert WorkClaim.objects.filter(committed_at__isnull=True).count() == 0
        lessons = WorkClaim.objects.filter(kind="vm.train")
        assert {claim.label_reason for claim in lessons} <= {"", "no_snapshot"}
        assert LabelSet.objects.count() == lessons.filter(label_set__isnull=False).count() > 0
        assert MetricSums.objects.filter(scope="all").count() == 2 * trained * tenants
        charged = UsageRecord.objects.filter(claim__kind="vm.train").values_list("claim_id", "line")
        assert len(charged) == len(set(charged)) == 2 * trained * tenants
        for budget in Budget.objects.all():
            assert budget.spent > 0
            assert budget.reserved == 0
        assert LedgerEntry.objects.filter(tenant__isnull=True, line="fm_training").exists()
