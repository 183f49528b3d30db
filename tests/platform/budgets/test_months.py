"""Monthly totals are the sums of their lines: after charges, undone ones, from many sides at once, and when mended."""

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.db.models import Sum

from budgets import months, rates, selectors, services
from budgets.models import CostToDate, MonthlyCost, MonthlyRows, UsageRecord
from registry.models import LabelSet
from runs.accounting import Held, accounting
from runs.models import Attempt, Run
from tenancy.scope import platform_scope, tenant_scope
from tests.kit import domain
from tests.kit.patience import PATIENCE
from tests.kit.roles import database_role
from tests.platform.insights import scene as scenes

pytestmark = pytest.mark.django_db


@pytest.fixture
def _platform() -> Iterator[None]:
    with platform_scope("test"):
        yield


def wrong() -> list[tuple[object, ...]]:
    return [key for totals in months.ALL for key in months.wrong(totals)]


def by_hand() -> dict[object, tuple[Decimal, Decimal]]:
    """What each model has cost, usage record by usage record."""
    found: dict[object, tuple[Decimal, Decimal]] = {}
    for usage in UsageRecord.objects.filter(tenant__isnull=False).select_related("run"):
        training, measurement = found.get(usage.run.model_id, (Decimal(0), Decimal(0)))
        if usage.line == "training":
            training += usage.amount
        else:
            measurement += usage.amount
        found[usage.run.model_id] = (training, measurement)
    return found


@pytest.mark.usefixtures("_platform")
def test_totals_are_the_sums_of_committed_work() -> None:
    first = scenes.make_scene(partitions=3)
    second = scenes.make_scene(teacher=first.teacher, partitions=2, covered_from=0)
    scenes.teach(first.teacher)
    accounting().settle(run=first.run, attempt=first.attempt, claim=None, held=Held({"lost": 4.0}))
    shown = {model: (cost.training, cost.measurement) for model, cost in selectors.cost_by_model().items()}
    assert shown == by_hand()
    assert len(shown) == 2
    assert dict(MonthlyRows.objects.values_list("stream_id", "rows")) == {
        first.stream.id: 2000,
        second.stream.id: 2000,
    }
    assert LabelSet.objects.aggregate(total=Sum("rows"))["total"] == 4000
    paid = UsageRecord.objects.filter(foundation_model=first.teacher).aggregate(total=Sum("amount"))["total"]
    assert sum(selectors.fm_cost(foundation_model_id=first.teacher.id).values()) == paid > 0
    assert wrong() == []


@pytest.mark.usefixtures("_platform")
def test_a_month_ends_at_midnight_of_utc() -> None:
    scene = scenes.make_scene(partitions=1)
    copied = [
        field.column for field in UsageRecord._meta.fields if field.column not in ("id", "created_at", "claim_id")
    ]
    names = ", ".join(copied)
    moments = (datetime(2025, 1, 31, 23, 59, 59, 999999, UTC), datetime(2025, 2, 1, tzinfo=UTC))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL timezone = 'Pacific/Auckland'")
        for moment in moments:
            cursor.execute(
                f"INSERT INTO budgets_usagerecord (id, created_at, {names}) SELECT gen_random_uuid(), %s, {names}"
                " FROM budgets_usagerecord WHERE line = 'training' AND claim_id IS NOT NULL",
                [moment],
            )
    early = MonthlyCost.objects.filter(model=scene.model, month__year=2025).order_by("month")
    assert [row.month for row in early] == [datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 2, 1, tzinfo=UTC)]
    assert wrong() == []


@pytest.mark.usefixtures("_platform")
def test_what_is_rolled_back_is_in_no_total() -> None:
    scene = scenes.make_scene(partitions=1)
    before = selectors.cost_by_model()
    with pytest.raises(RuntimeError), transaction.atomic():
        scenes.train(scene, 7, covered=True)
        assert selectors.cost_by_model() != before
        raise RuntimeError
    assert selectors.cost_by_model() == before
    assert wrong() == []


@pytest.mark.usefixtures("_platform")
def test_a_wrong_total_is_found_and_counted_anew() -> None:
    scene = scenes.make_scene(partitions=2, covered_from=0)
    scenes.teach(scene.teacher)
    unpaid = domain.make_model(scene.stream)
    right = selectors.cost_by_model(), list(MonthlyRows.objects.values_list("rows"))
    CostToDate.objects.update(training=1)
    CostToDate.objects.create(model=unpaid, tenant=scene.tenant, training=2, measurement=0)
    MonthlyCost.objects.filter(line="training").update(amount=1)
    MonthlyRows.objects.update(rows=1)
    with database_role(None):
        MonthlyCost.objects.filter(line="measurement").delete()
        MonthlyCost.objects.create(model=scene.model, tenant=scene.tenant, line="lost", month=domain.hour(0), amount=3)
    assert [len(months.wrong(totals)) for totals in months.ALL] == [3, 1, 2]
    assert [months.mend(totals) for totals in months.ALL] == [3, 1, 2]
    assert wrong() == []
    assert not any(CostToDate.objects.filter(model=unpaid).values_list("training", "measurement").get())
    CostToDate.objects.filter(model=unpaid).update(training=0)
    with database_role(None):
        CostToDate.objects.filter(model=unpaid).delete()
    assert (selectors.cost_by_model(), list(MonthlyRows.objects.values_list("rows"))) == right


def test_a_tenant_reads_its_own_totals_and_writes_none(as_role) -> None:
    with platform_scope("test"):
        mine, other = scenes.make_scene(partitions=1), scenes.make_scene(partitions=1)
    with as_role("exfm_app"), tenant_scope(mine.tenant.id):
        assert set(selectors.cost_by_model()) == {mine.model.id}
        assert other.model.id not in selectors.cost_by_model(model_ids=[other.model.id])
        with pytest.raises(Exception, match="permission denied"), transaction.atomic():
            MonthlyCost.objects.update(amount=0)


def charge(run_id: object, seed: int, barrier: threading.Barrier, met: threading.Event) -> None:
    """Charge a run many times on a connection of this thread, and until a count has met it; now and then the
    transaction is given up."""
    dice, charged, until = random.Random(seed), 0, time.monotonic() + PATIENCE
    try:
        with platform_scope("test"):
            run, attempt = Run.objects.get(id=run_id), Attempt.objects.get(run_id=run_id)
            barrier.wait(PATIENCE)
            while charged < 25 or not met.is_set():
                assert time.monotonic() < until, "no count has met the writers"
                charged += 1
                with transaction.atomic():
                    accounting().reserve(run=run, device_seconds=dice.uniform(0, 100))
                    held = Held({"training": dice.uniform(0, 50), "measurement": dice.uniform(0, 50)})
                    accounting().settle(run=run, attempt=attempt, claim=None, held=held)
                    transaction.set_rollback(dice.random() < 0.2)
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_many_writers_and_a_count_at_once_agree() -> None:
    with platform_scope("test"):
        rates.seed()
        tenant = domain.make_tenant()
        services.open_account(tenant=tenant, amount=Decimal(100))
        model = domain.make_model(domain.make_stream(tenant))
        runs = [domain.make_run(tenant, model, state="succeeded") for _ in range(3)]
        for run in runs:
            domain.make_attempt(run)
        barrier, met = threading.Barrier(len(runs) + 1), threading.Event()
        with ThreadPoolExecutor(len(runs)) as pool:
            futures = [pool.submit(charge, run.id, seed, barrier, met) for seed, run in enumerate(runs)]
            barrier.wait(PATIENCE)
            mended = 0
            while not all(future.done() for future in futures):
                MonthlyCost.objects.filter(line="training").update(amount=0)
                CostToDate.objects.update(training=0)
                mended += min(months.mend(months.COST), months.mend(months.TO_DATE))
                if mended:
                    met.set()
            for future in futures:
                future.result(60)
        months.mend(months.COST)
        months.mend(months.TO_DATE)
        assert mended > 0
        assert wrong() == []
        (cost,) = selectors.cost_by_model().values()
        assert cost.total == UsageRecord.objects.filter(tenant=tenant).aggregate(total=Sum("amount"))["total"] > 0
