"""Many supervisors at once: the budget is never exceeded, and the ledger agrees with it to the last digit."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.db.models import Sum

from budgets import rates, services
from budgets.accounting import outstanding
from budgets.models import Budget, LedgerEntry
from runs.accounting import Held, accounting
from runs.models import Attempt, Run
from tenancy.scope import platform_scope
from tests.kit import domain
from tests.kit.patience import PATIENCE


def work(run_id: object, seed: int, barrier: threading.Barrier) -> int:
    """Reserve, settle and release at random on a connection of this thread; return the number of refusals."""
    dice, refused = random.Random(seed), 0
    try:
        with platform_scope("test"):
            run, attempt = Run.objects.get(id=run_id), Attempt.objects.get(run_id=run_id)
            barrier.wait(PATIENCE)
            for _ in range(15):
                with transaction.atomic():
                    refused += accounting().reserve(run=run, device_seconds=dice.uniform(0, 2000)) is not None
                held = Held({"training": dice.uniform(0, 900), "measurement": dice.uniform(0, 900)})
                with transaction.atomic():
                    accounting().settle(run=run, attempt=attempt, claim=None, held=held)
                if dice.random() < 0.2:
                    with transaction.atomic():
                        accounting().release(run=run)
    finally:
        connection.close()
    return refused


@pytest.mark.django_db(transaction=True)
def test_concurrent_runs_never_exceed_the_budget() -> None:
    with platform_scope("test"):
        rates.seed()
        tenant = domain.make_tenant()
        services.open_account(tenant=tenant, amount=Decimal("2.5"))
        runs = [domain.make_run(tenant) for _ in range(4)]
        for run in runs:
            domain.make_attempt(run)
        barrier = threading.Barrier(len(runs))
        with ThreadPoolExecutor(len(runs)) as pool:
            futures = [pool.submit(work, run.id, seed, barrier) for seed, run in enumerate(runs)]
            refused = sum(future.result(60) for future in futures)
        budget = Budget.objects.get(tenant=tenant)
        own = LedgerEntry.objects.filter(tenant=tenant)
        assert refused > 0
        assert budget.spent + budget.reserved <= budget.amount
        assert own.filter(kind="settle").aggregate(total=Sum("amount"))["total"] == budget.spent
        assert sum((sum(outstanding(run_id=run.id).values()) for run in runs), Decimal(0)) == budget.reserved
