"""What budgets do at the part at which they act: to new runs, running ones, those that wait; two at one moment."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from budgets import rates
from budgets.models import Budget
from budgets.services import open_account, set_budget
from runs import claims
from runs.accounting import Held, accounting
from runs.commits import commit
from runs.dispatch import dispatch
from runs.models import Kind, Run, State, WorkerNode
from runs.outcomes import End, Outcome, end_attempt
from runs.services import submit
from tenancy.errors import DomainError
from tenancy.scope import platform_scope
from tests.kit import domain
from tests.kit.patience import PATIENCE
from tests.platform.runs.setting import Setting, join, make_setting, make_worker, next_claim, start, take, vm_done

ONE = Decimal(1)
"""The amount of the budgets here. A device-second costs 0.0001: 8,000 of them are 80 percent."""


@pytest.fixture
def setting(db: None) -> Iterator[Setting]:
    with platform_scope("test"):
        yield make_setting(bound=False)


def burn(setting: Setting, seconds: float) -> None:
    """Spend so many device-seconds, in a run that has begun."""
    run = domain.make_run(setting.tenant, state="succeeded", started_at=timezone.now())
    with transaction.atomic():
        assert accounting().reserve(run=run, device_seconds=seconds) is None
        accounting().settle(
            run=run, attempt=domain.make_attempt(run), claim=None, held=Held({"training": float(seconds)})
        )
        accounting().release(run=run)


def change(setting: Setting, *, amount: Decimal = ONE, action: str | None = None, at: int | None = None) -> Budget:
    return set_budget(tenant=setting.tenant, amount=amount, action=action, act_percent=at, reason="test")


def queued(setting: Setting) -> Run:
    domain.make_partition(setting.stream, 0)
    return submit(kind=Kind.VM_TRAIN, model=setting.model)


def why(run: Run) -> str:
    run.refresh_from_db()
    return run.reason_code


@pytest.mark.parametrize(
    ("action", "seconds", "starts"),
    [
        ("warn", 8000, True),
        ("warn", 9500, True),
        ("hold", 7999, True),
        ("hold", 8000, False),
        ("hold", 9500, False),
        ("stop", 7999, True),
        ("stop", 8000, False),
        ("stop", 9500, False),
    ],
)
def test_a_new_run(setting: Setting, action: str, seconds: float, starts: bool) -> None:
    make_worker()
    change(setting, action="warn", at=80)
    burn(setting, seconds)
    change(setting, action=action)
    run = queued(setting)
    assert dispatch() == ([run] if starts else [])
    assert why(run) == ("admitted" if starts else "budget_hold")


@pytest.mark.parametrize("action", ["warn", "hold", "stop"])
def test_a_running_one(setting: Setting, action: str) -> None:
    """Only `stop` ends it, at its checkpoint; it goes on from there once the budget is raised."""
    change(setting, action=action, at=80)
    for hour in range(2):
        domain.make_partition(setting.stream, hour)
    run, lease = start(Kind.VM_TRAIN, setting.model)
    claim = next_claim(lease)
    with transaction.atomic():
        assert accounting().reserve(run=run, device_seconds=9000) is None
    commit(lease=lease, claim=claim, done=vm_done(claim))
    accounting().settle(run=run, attempt=run.attempts.get(), claim=None, held=Held({"training": 8000.0}))
    assert Decimal("0.8") <= Budget.objects.get().spent < Decimal("0.81")
    answer = claims.next_work(lease=lease)
    if action != "stop":
        assert isinstance(answer, claims.Task)
        return
    assert isinstance(answer, Outcome)
    assert (answer.end, answer.code) == (End.STOPPED, "budget_exhausted")
    assert "from 80 % on runs stop at their checkpoint" in answer.message
    assert end_attempt(lease=lease, outcome=answer) == State.QUEUED
    assert why(run) == "budget_exhausted"
    assert dispatch() == []
    assert why(run) == "budget_hold"
    assert "It goes on by itself" in run.reason_message
    change(setting, amount=Decimal(2))
    assert next_claim(take(run)).partition != claim.partition


@pytest.mark.parametrize(("action", "starts"), [("hold", True), ("stop", False)])
def test_a_run_that_lost_its_worker_is_not_new(setting: Setting, action: str, starts: bool) -> None:
    change(setting, action=action, at=80)
    domain.make_partition(setting.stream, 0)
    run, lease = start(Kind.VM_TRAIN, setting.model)
    burn(setting, 8000)
    end_attempt(lease=lease, outcome=Outcome(End.STOPPED, "worker_shutdown"))
    assert dispatch() == ([run] if starts else [])


def test_the_sentence_says_the_numbers_and_what_mends_it(setting: Setting) -> None:
    make_worker()
    change(setting, action="hold", at=80)
    burn(setting, 8550)
    run = queued(setting)
    dispatch()
    run.refresh_from_db()
    end = Budget.objects.get().period_end
    assert run.reason_message == (
        "0.855 USD of the budget of 1.00 USD (85 %) are spent; from 80 % on no new run starts. It starts by itself "
        "once an administrator raises the budget or changes what it does, or when the next period begins on "
        f"{end:%Y-%m-%d} (UTC)."
    )


@pytest.mark.parametrize(
    "mended", [{"amount": Decimal("1.01")}, {"at": 81}, {"action": "warn"}], ids=["raised", "later", "only warns"]
)
def test_a_changed_budget_releases_what_it_held(
    setting: Setting, mended: dict, django_capture_on_commit_callbacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_worker()
    change(setting, action="hold", at=80)
    burn(setting, 8000)
    run = queued(setting)
    assert dispatch() == []
    sent: list[str] = []
    monkeypatch.setattr("runs.nudges.nudge", lambda name, *_, **__: sent.append(name))
    with django_capture_on_commit_callbacks(execute=True):
        change(setting, **mended)
    assert sent == ["runs.dispatch"]
    assert dispatch() == [run]


def test_a_new_month_releases_them_and_keeps_the_action(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    make_worker()
    change(setting, action="stop", at=80)
    burn(setting, 8000)
    run = queued(setting)
    assert dispatch() == []
    turn = Budget.objects.get().period_end
    monkeypatch.setattr("budgets.accounting.timezone.now", lambda: turn)
    WorkerNode.objects.update(seen_at=turn)
    assert dispatch(turn) == [run]
    new = Budget.objects.get(period_start=turn)
    assert (new.amount, new.spent, new.action, new.act_percent) == (1, 0, "stop", 80)


def test_nobody_makes_room_for_a_run_that_a_budget_holds(setting: Setting) -> None:
    """It says the budget's reason while all slots are taken, and the others' runs keep theirs."""
    make_worker(slots=1)
    other = join(setting.teacher)
    busy, _ = start(Kind.VM_TRAIN, other.model)
    change(setting, action="hold", at=80)
    burn(setting, 8000)
    run = queued(setting)
    assert dispatch() == []
    assert why(run) == "budget_hold"
    assert not claims.must_yield(run_id=busy.id, priority=0, idle_seconds=60)
    change(setting, action="warn")
    assert dispatch() == []
    assert why(run) == "capacity"
    assert claims.must_yield(run_id=busy.id, priority=0, idle_seconds=60)


def test_budgets_of_all_who_wait_are_one_statement(setting: Setting) -> None:
    runs = [queued(setting), *(queued(join(setting.teacher)) for _ in range(3))]
    with CaptureQueriesContext(connection) as asked:
        dispatch()
    assert [why(run) for run in runs] == ["no_worker"] * 4
    assert sum("budgets_budget" in query["sql"] for query in asked) == 1


def test_a_budget_of_nothing_does_not_act(setting: Setting) -> None:
    """The hard limit refuses, in its own words."""
    make_worker()
    change(setting, amount=Decimal(0), action="hold", at=1)
    run = queued(setting)
    assert dispatch() == []
    assert why(run) == "budget_exhausted"


def test_the_platform_s_runs_and_other_tenants_are_not_held(setting: Setting) -> None:
    make_worker()
    change(setting, action="hold", at=80)
    burn(setting, 8000)
    held, other = queued(setting), queued(join(setting.teacher))
    teaching = submit(kind=Kind.FM_TRAIN, foundation_model=setting.teacher)
    assert set(dispatch()) == {other, teaching}
    assert why(held) == "budget_hold"


@pytest.mark.parametrize(
    ("bad", "code", "sentence"),
    [
        ({"action": "burn"}, "action_unknown", "A budget cannot 'burn'."),
        ({"act_percent": 0}, "act_percent_invalid", "A budget cannot act at 0 percent of its amount."),
        ({"act_percent": 101}, "act_percent_invalid", "A budget cannot act at 101 percent of its amount."),
        ({"act_percent": True}, "act_percent_invalid", "A budget cannot act at True percent of its amount."),
        ({"act_percent": 50.5}, "act_percent_invalid", "A budget cannot act at 50.5 percent of its amount."),
    ],
)
def test_what_a_budget_cannot_do_is_refused(setting: Setting, bad: dict, code: str, sentence: str) -> None:
    with pytest.raises(DomainError) as caught:
        set_budget(tenant=setting.tenant, amount=ONE, reason="test", **bad)
    assert (caught.value.code, caught.value.message) == (code, sentence)
    with pytest.raises(DomainError):
        open_account(tenant=domain.make_tenant(), amount=ONE, **bad)
    budget = Budget.objects.get()
    assert (budget.amount, budget.action, budget.act_percent) == (1000, "stop", 100)


@pytest.mark.parametrize("percent", [0, 101])
def test_the_table_refuses_other_percentages(setting: Setting, percent: int) -> None:
    with pytest.raises(IntegrityError, match="budget_act_percent_1_to_100"), transaction.atomic():
        Budget.objects.update(act_percent=percent)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("raised", [False, True])
def test_a_commit_a_change_and_an_admission_at_the_same_moment(raised: bool) -> None:
    """A commit reaches the part at which the budget acts, and has not ended yet. Whoever changes the budget or admits a
    run meanwhile waits for it, and decides by what it has spent.
    """
    with platform_scope("test"):
        rates.seed()
        make_worker()
        setting = make_setting(bound=False)
        change(setting, action="hold", at=80)
        busy = domain.make_run(setting.tenant, started_at=timezone.now())
        with transaction.atomic():
            assert accounting().reserve(run=busy, device_seconds=8000) is None
        attempt, run = domain.make_attempt(busy), queued(setting)
    spent, others = threading.Event(), threading.Barrier(2)

    def committing() -> None:
        with platform_scope("test"), transaction.atomic():
            accounting().settle(run=busy, attempt=attempt, claim=None, held=Held({"training": 8000.0}))
            spent.set()
            others.wait(PATIENCE)
            _until_someone_waits()

    def meanwhile() -> None:
        with platform_scope("test"):
            assert spent.wait(PATIENCE)
            others.wait(PATIENCE)
            if raised:
                change(setting, amount=Decimal(2))
            else:
                dispatch()

    def on_a_connection_of_its_own(work) -> None:
        try:
            work()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(on_a_connection_of_its_own, work) for work in (committing, meanwhile)]:
            future.result(60)
    with platform_scope("test"):
        budget = Budget.objects.get()
        assert (budget.amount, budget.spent) == (2 if raised else 1, Decimal("0.8"))
        assert why(run) == ("queued" if raised else "budget_hold")
        assert dispatch() == ([run] if raised else [])


def _until_someone_waits() -> None:
    """Return once another connection waits for a lock of this transaction."""
    deadline = time.monotonic() + PATIENCE
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))")
            if cursor.fetchone() is not None:
                return
    raise AssertionError("nobody waited for the commit")
