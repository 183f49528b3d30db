"""kill -9 of children and of the worker in mid-partition: the same weights, sums and ledger as undisturbed."""

import hashlib
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db.models import Sum
from safetensors import safe_open

from budgets import months
from budgets.models import Budget, LedgerEntry, UsageRecord
from config.celery import app
from runs.models import Attempt, Consumption, MetricSums, Run, WorkClaim
from tenancy.scope import platform_scope
from tests.chaos.processes import Celery, alive, celery, kill
from tests.kit.patience import PATIENCE
from tests.workers.waiting import wait_for
from tests.workers.world import World, long_recipe, make_world

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True)]

PERIODS = 4


def build(storage: str, suffix: str) -> World:
    """One tenant whose partitions take a child a few seconds: long enough to be killed in the middle."""
    return make_world(storage, recipe=long_recipe(periods=PERIODS), tenants=1, suffix=suffix)


def finished(world: World) -> bool:
    """Every period is consumed by the teacher and, from the launch on, by both arms."""
    done = Counter(
        Consumption.objects.filter(lineage__in=lineages(world).values()).values_list("lineage__arm", flat=True)
    )
    return done == {"fm": PERIODS, "control": PERIODS - 1, "treatment": PERIODS - 1}


def lineages(world: World) -> dict[str, Any]:
    model = next(iter(world.models.values()))
    found = {row.arm: row for row in type(model).objects.get(id=model.id).versions.get().lineages.all()}
    return found | {"fm": world.foundation.versions.get().lineages.get()}


def tensors(path: Path) -> str:
    """SHA-256 over names and bits of all tensors of a checkpoint."""
    digest = hashlib.sha256()
    with safe_open(path, framework="numpy") as file:
        for name in sorted(file.keys()):
            value = np.ascontiguousarray(file.get_tensor(name))
            digest.update(f"{name}{value.dtype}{value.shape}".encode())
            digest.update(value.tobytes())
    return digest.hexdigest()


def record(world: World) -> dict[str, Any]:
    """What must be the same whatever was killed: weights of every lineage, committed sums, and what was charged."""
    lines: Counter[str] = Counter()
    starts = {p: i for i, p in enumerate(sorted({s.start for s in partitions(world)}))}
    for usage in UsageRecord.objects.filter(claim__isnull=False, run__in=runs_of(world)).select_related(
        "claim__partition"
    ):
        claim = usage.claim
        moment = claim.partition.start if claim.partition else claim.period_start
        lines[f"{claim.kind} {starts[moment]} {usage.line} {'tenant' if usage.tenant_id else 'platform'}"] += 1
    sums = MetricSums.objects.filter(partition__in=partitions(world)).order_by(
        "partition__start", "lineage__arm", "scope"
    )
    assert months.wrong(months.COST) + months.wrong(months.ROWS) == []
    return {
        "weights": {arm: tensors(world.root / row.head.uri) for arm, row in lineages(world).items()},
        "sums": [
            [starts[s.partition.start], s.lineage.arm, s.scope, s.n, s.y, s.loss, s.p, s.auc]
            for s in sums.select_related("partition", "lineage")
        ],
        "charged": dict(lines),
        "claims": dict(Counter(WorkClaim.objects.filter(run__in=runs_of(world)).values_list("kind", flat=True))),
    }


def partitions(world: World) -> Any:
    return next(iter(world.streams.values())).partitions.all()


def runs_of(world: World) -> Any:
    model = next(iter(world.models.values()))
    return Run.objects.filter(model=model) | Run.objects.filter(foundation_model=world.foundation)


def in_the_middle(world: World, kind: str) -> Attempt | None:
    """Return the attempt that has read part of an uncommitted unit of that kind."""
    run = runs_of(world).filter(kind=kind, state="running").first()
    if run is None or not 0 < (run.progress.get("rows") or 0) < (run.progress.get("rows_total") or 0):
        return None
    if not WorkClaim.objects.filter(run=run, committed_at__isnull=True).exists():
        return None
    return run.attempts.filter(state="active", pid__isnull=False).last()


def let_go_on(world: World) -> None:
    """Seal everything and nudge the planner, as uploads do."""
    with platform_scope("test"):
        world.seal(range(PERIODS))
    app.send_task("runs.plan", queue="control")


def kill_child(world: World, kind: str) -> Attempt:
    """kill -9 the child that is in the middle of a unit of that kind."""
    attempt = wait_for(f"{kind} in mid-partition", lambda: in_the_middle(world, kind))
    kill(attempt.pid or 0)
    return over(attempt)


def kill_worker(world: World, kind: str, servers: Celery) -> Attempt:
    """kill -9 the worker while a unit of that kind is in the middle; no child may outlive it. Start another."""
    attempt = wait_for(f"{kind} in mid-partition", lambda: in_the_middle(world, kind))
    children = [a.pid or 0 for a in Attempt.objects.filter(state="active", pid__isnull=False)]
    servers.kill_worker()
    wait_for("no orphan", lambda: not any(map(alive, children)))
    servers.restart_worker()
    return over(attempt)


def over(attempt: Attempt) -> Attempt:
    """Wait until the platform has noticed that the attempt is dead."""
    ended = Attempt.objects.filter(id=attempt.id).exclude(state="active")
    return wait_for("the attempt is over", ended.first)


def check_money(world: World) -> None:
    """Everything reserved was settled or released; the tenant paid its usage, the platform what was lost."""
    tenant = next(iter(world.tenants.values()))
    budget = Budget.objects.get(tenant=tenant)
    assert budget.reserved == 0
    usage = UsageRecord.objects.filter(tenant=tenant).aggregate(total=Sum("amount"))["total"]
    assert budget.spent == usage > 0
    entries = LedgerEntry.objects.filter(tenant=tenant)
    total = {
        kind: entries.filter(kind=kind).aggregate(t=Sum("amount"))["t"] or Decimal(0)
        for kind in ("reserve", "settle", "release")
    }
    assert total["reserve"] == total["settle"] + total["release"]
    assert not UsageRecord.objects.filter(line="lost", tenant__isnull=False).exists()


def test_kill9_of_children_and_worker_changes_nothing(postgres, installation, broker_url, storage, settings, tmp_path):
    settings.CELERY_BROKER_URL = app.conf.broker_url = broker_url
    with platform_scope("test"):
        calm, wild = build(storage, "-calm"), build(storage, "-wild")
    with celery(installation, broker_url, storage, tmp_path / "logs") as servers, platform_scope("test"):
        let_go_on(calm)
        wait_for("the undisturbed world", lambda: finished(calm), 2 * PATIENCE)
        let_go_on(wild)
        killed = [
            kill_child(wild, "fm.train"),
            kill_child(wild, "vm.train"),
            kill_worker(wild, "vm.train", servers),
        ]
        wait_for("the disturbed world", lambda: finished(wild), 2 * PATIENCE)
        servers.terminate_worker()
        wait_for("the worker left", lambda: servers.worker.poll() is not None)
        assert not Run.objects.filter(state__in=["starting", "running", "stopping"]).exists()
        check_money(calm)
        check_money(wild)
        lost = UsageRecord.objects.filter(line="lost", run__in=runs_of(wild)).count()
    assert [(a.state, a.fault, a.exit_code) for a in killed] == [
        ("failed", "platform", -9),
        ("failed", "platform", -9),
        ("lost", "platform", None),
    ]
    assert lost >= 3
    before, after = record_in_scope(calm), record_in_scope(wild)
    assert len(before["weights"]) == 3
    assert len(before["sums"]) == (PERIODS - 1) * 5
    assert sum(before["charged"].values()) == PERIODS + (PERIODS - 1) * 3
    assert json.dumps(after["charged"], sort_keys=True) == json.dumps(before["charged"], sort_keys=True)
    assert after["claims"] == before["claims"]
    assert after["weights"] == before["weights"]
    assert after["sums"] == before["sums"]


def record_in_scope(world: World) -> dict[str, Any]:
    with platform_scope("test"):
        return record(world)
