"""Two that settle for one model at the same moment, on two connections: which locks meet, and what comes of it.

A line's trigger locks the model's monthly total before the budget's row is locked. A model has one open run at a time,
and a settlement charges training before measurement: so nobody holds one of the two and waits for the other's holder.
"""

import contextlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import Sum

from budgets import rates, services
from budgets.models import Budget, LedgerEntry, MonthlyCost
from runs.accounting import Held, accounting
from runs.models import Attempt, Run
from tenancy.scope import platform_scope
from tests.kit import domain
from workers.database import patiently

Step = Callable[[Run], object]


def settle(**lines: float) -> Step:
    """Charge these lines, in this order."""
    return lambda run: accounting().settle(
        run=run, attempt=Attempt.objects.get(run=run), claim=None, held=Held(dict(lines))
    )


def release(run: Run) -> None:
    accounting().release(run=run)


@pytest.fixture
def pair(transactional_db: None) -> list[Run]:
    """Return two runs of one model, each with a reservation; only one of them may be open."""
    with platform_scope("test"):
        rates.seed()
        tenant = domain.make_tenant()
        services.open_account(tenant=tenant, amount=Decimal("100"))
        model = domain.make_model(domain.make_stream(tenant))
        runs = [domain.make_run(tenant, model, state=state) for state in ("running", "succeeded")]
        for run in runs:
            domain.make_attempt(run)
            with transaction.atomic():
                assert accounting().reserve(run=run, device_seconds=3600) is None
    return runs


def meet(runs: Sequence[Run], orders: Sequence[Sequence[Step]]) -> int:
    """Do each run's steps in a transaction of its own, the others after both have done their first; return how often
    PostgreSQL refused one for a deadlock. A refused one is done again, as the supervisor does it.

    A first step that waits for the other transaction cannot be waited for: then the other goes on without it.
    """
    first, deadlocks = threading.Barrier(len(runs)), []

    def work(run: Run, steps: Sequence[Step]) -> None:
        def once() -> None:
            try:
                with transaction.atomic():
                    steps[0](run)
                    with contextlib.suppress(threading.BrokenBarrierError):
                        first.wait(1.0)
                    for step in steps[1:]:
                        step(run)
            except OperationalError as error:
                deadlocks.append(error)
                raise

        try:
            patiently("test", once)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(runs)) as pool:
        for future in [pool.submit(work, run, steps) for run, steps in zip(runs, orders, strict=True)]:
            future.result(60)
    assert all("deadlock detected" in str(error) for error in deadlocks), deadlocks
    return len(deadlocks)


def agree(runs: Sequence[Run]) -> None:
    """Check that budget, ledger and monthly totals say the same."""
    with platform_scope("test"):
        budget = Budget.objects.get(tenant=runs[0].tenant)
        lines = LedgerEntry.objects.filter(tenant=runs[0].tenant, kind=LedgerEntry.Kind.SETTLE)
        months = MonthlyCost.objects.filter(tenant=runs[0].tenant)
        assert budget.spent == lines.aggregate(total=Sum("amount"))["total"]
        assert budget.spent == months.aggregate(total=Sum("amount"))["total"]
        assert budget.spent > 0


def test_commits_of_the_same_moment_wait_for_one_another(pair: list[Run]) -> None:
    commit = [settle(training=10), settle(measurement=10)]
    assert meet(pair, [commit, commit]) == 0
    agree(pair)


def test_a_commit_and_the_end_of_another_run_wait_for_one_another(pair: list[Run]) -> None:
    assert meet(pair, [[settle(training=10), settle(measurement=10)], [settle(training=10), release]]) == 0
    agree(pair)


def test_a_commit_beyond_its_reservation_and_a_run_lost_to_the_platform(pair: list[Run]) -> None:
    beyond = [settle(training=10), settle(measurement=10_000)]
    assert meet(pair, [beyond, [settle(lost=10), release]]) == 0
    agree(pair)


def test_a_second_open_run_of_a_model_is_refused(pair: list[Run]) -> None:
    with platform_scope("test"), pytest.raises(IntegrityError, match="run_one_open_per_model"):
        Run.objects.filter(id=pair[1].id).update(state="running")


def test_lines_in_opposite_orders_are_charged_once_each(pair: list[Run]) -> None:
    """The platform does not do it. PostgreSQL ends one of the two at most, which is then done again."""
    one, other = settle(training=10), settle(measurement=10)
    assert meet(pair, [[one, other], [other, one]]) <= 1
    agree(pair)
