"""A small platform for tests of runs: a teacher, a bound tenant with money, and short cuts for what supervisors do."""

import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import timezone

from budgets.services import open_account
from catalog.models import Stream
from exfm_core import events
from exfm_core.metrics.histogram import LogitHistogram
from exfm_core.spec import VerticalSpec
from registry.models import FoundationModel, VerticalModel
from runs import claims, leases
from runs.commits import commit
from runs.dispatch import dispatch
from runs.leases import Lease
from runs.models import Kind, Run, WorkClaim, WorkerNode
from runs.outcomes import End, Outcome, end_attempt
from runs.services import submit
from tenancy.models import Tenant
from tests.kit.domain import make_foundation_model, make_model, make_stream, make_tenant

SHA = "a" * 64
HISTOGRAM = LogitHistogram.of([-2.0, -1.0, 1.0], [0, 1, 1]).encode()


@dataclass
class Setting:
    """A teacher and one bound tenant."""

    teacher: FoundationModel
    tenant: Tenant
    stream: Stream
    model: VerticalModel


def make_setting(spec: VerticalSpec | None = None, *, bound: bool = True, **stream: Any) -> Setting:
    """Store a foundation model, a funded tenant, its stream and a model on it."""
    teacher = make_foundation_model()
    tenant = make_tenant()
    open_account(tenant=tenant, amount=Decimal(1000))
    fed = make_stream(tenant, **stream)
    return Setting(teacher, tenant, fed, make_model(fed, teacher if bound else None, spec))


def join(teacher: FoundationModel, **stream: Any) -> Setting:
    """Store another funded tenant with a model that the teacher teaches."""
    tenant = make_tenant()
    open_account(tenant=tenant, amount=Decimal(1000))
    fed = make_stream(tenant, **stream)
    return Setting(teacher, tenant, fed, make_model(fed, teacher))


def make_worker(slots: int = 8, name: str = "worker") -> WorkerNode:
    """Store a worker that has just reported."""
    return WorkerNode.objects.create(name=name, slots=slots, seen_at=timezone.now())


def start(kind: Kind, owner: VerticalModel | FoundationModel) -> tuple[Run, Lease]:
    """Submit, admit and take a run, as a worker does."""
    if not WorkerNode.objects.exists():
        make_worker()
    model = owner if isinstance(owner, VerticalModel) else None
    teacher = owner if isinstance(owner, FoundationModel) else None
    run = submit(kind=kind, model=model, foundation_model=teacher)
    return run, take(run)


def take(run: Run) -> Lease:
    """Admit a queued run and take its lease."""
    dispatch()
    lease = leases.take(run_id=run.id, worker="test")
    assert lease is not None
    return lease


def next_claim(lease: Lease) -> WorkClaim:
    """Ask for work and expect some."""
    answer = claims.next_work(lease=lease)
    assert isinstance(answer, claims.Task), answer
    return answer.claim


def file(name: str) -> events.File:
    """A reported file."""
    return events.File(uri=f"runs/{name}/{uuid.uuid4()}", sha256=SHA, bytes=1)


def sums(rows: float, loss: float = 0.3, rate: float = 0.1) -> events.Sums:
    """Sums of `rows` rows in equal buckets, with a mean log loss of `loss`."""
    n = rows / 256
    return events.Sums(n=(n,) * 256, y=(n * rate,) * 256, loss=(n * loss,) * 256, p=(n * rate,) * 256)


def vm_done(
    claim: WorkClaim, *, control: float = 0.30, treatment: float = 0.29, label: float | None = None, **changes: Any
) -> events.VmDone:
    """What a child reports of a lesson; losses are means per row."""
    partition = claim.partition
    assert partition is not None
    rows = partition.rows or 0
    covered = rows if claim.label_set_id else 0
    arms = {
        arm: events.ArmResult(file(arm), sums(rows, loss), sums(covered, loss), 0.7, HISTOGRAM, seconds)
        for arm, loss, seconds in (("control", control, 1.0), ("treatment", treatment, 3.0))
    }
    values: dict[str, Any] = {
        "seq": 1,
        "arms": arms,
        "label": sums(covered, label if label is not None else 0.28) if covered else None,
        "rows": rows,
        "covered": covered,
        "clipped": 0,
        "seconds": events.ArmSeconds(total=4.0, read=0.1, control=1.0, treatment=3.0),
        "batches": 8,
    }
    return events.VmDone(**{**values, **changes})


def fm_done(claim: WorkClaim, decision: str = "publish", **changes: Any) -> events.FmDone:
    """What a child reports of a period."""
    entries = list(claim.manifest.select_related("partition"))
    values: dict[str, Any] = {
        "seq": 1,
        "checkpoint": file("fm"),
        "snapshot": file("snapshot"),
        "watermark": max(e.partition.end for e in entries).isoformat(),
        "rows": sum(e.partition.rows or 0 for e in entries),
        "heldback": 20,
        "gate": events.GateVerdict(decision, "test", ()),  # type: ignore[arg-type]
        "seconds": {"total": 2.0},
    }
    return events.FmDone(**{**values, **changes})


def das_done(claim: WorkClaim, **changes: Any) -> events.DasDone:
    """What a child reports of a scored partition."""
    assert claim.partition is not None
    rows = claim.partition.rows or 0
    values: dict[str, Any] = {
        "seq": 1, "labels": file("labels"), "rows": rows, "sums": {"click": sums(rows)}, "seconds": {"total": 1.0},
    }  # fmt: skip
    return events.DasDone(**{**values, **changes})


def do_period(teacher: FoundationModel, decision: str = "publish") -> WorkClaim:
    """Let the teacher train its next closed period."""
    _, lease = start(Kind.FM_TRAIN, teacher)
    claim = next_claim(lease)
    commit(lease=lease, claim=claim, done=fm_done(claim, decision))
    finish(lease)
    return claim


def do_scoring(teacher: FoundationModel) -> WorkClaim:
    """Let the teacher score one partition."""
    _, lease = start(Kind.DAS_SCORE, teacher)
    claim = next_claim(lease)
    commit(lease=lease, claim=claim, done=das_done(claim))
    finish(lease)
    return claim


def finish(lease: Lease) -> None:
    """End an attempt that has nothing more to do."""
    end_attempt(lease=lease, outcome=Outcome(End.FINISHED, "done"))
