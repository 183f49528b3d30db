"""Makes runs where there is work: at most one open run per model and kind. Idempotent; called at nudges and sweeps."""

import uuid
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from registry.models import FoundationModel, VerticalModel
from runs.errors import RunOpen
from runs.models import OPEN_STATES, Fault, Kind, Run, State
from runs.services import submit
from runs.units import Nothing, foundation_models, models_with_open_claim, next_lessons, next_unit, open_claim
from tenancy.models import Tenant

LOCK: Final = 0x5EED_0001
"""Advisory lock of the planner: two planners take turns."""

HOLD_AFTER_FAILURE: Final = timedelta(minutes=10)


@transaction.atomic
def plan(now: datetime | None = None) -> list[Run]:
    """Queue a run for every model that has a unit of work ready and no open run; return the new runs.

    The number of statements grows with the new runs and the foundation models, not with the models that wait.
    """
    moment = now or timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    busy = set(Run.objects.filter(state__in=OPEN_STATES).values_list("kind", "model_id", "foundation_model_id"))
    wanted: list[Run] = []
    for foundation_model in foundation_models():
        for kind in (Kind.FM_TRAIN, Kind.DAS_SCORE):
            run = Run(kind=kind, foundation_model=foundation_model)
            if _owner(run) not in busy and _has_work(run, moment):
                wanted.append(run)
    idle = VerticalModel.objects.filter(
        status=VerticalModel.Status.ACTIVE, tenant__status=Tenant.Status.ACTIVE
    ).exclude(id__in=[model_id for kind, model_id, _ in busy if kind == Kind.VM_TRAIN])
    wanted += [
        Run(kind=Kind.VM_TRAIN, model=model, tenant=model.tenant)
        for model in _with_work(list(idle.select_related("stream", "tenant")), moment)
    ]
    last = _newest_runs(wanted)
    made = []
    for run in wanted:
        if _on_hold(last.get(_owner(run)), moment):
            continue
        try:
            made.append(submit(kind=Kind(run.kind), model=run.model, foundation_model=run.foundation_model))
        except RunOpen:
            continue
    return made


def _has_work(run: Run, now: datetime) -> bool:
    return open_claim(run) is not None or not isinstance(next_unit(run, now), Nothing)


def _with_work(models: list[VerticalModel], now: datetime) -> list[VerticalModel]:
    """Return the models with a claim to finish or a lesson that they can begin, in their order."""
    claimed = models_with_open_claim()
    lessons = next_lessons([model for model in models if model.id not in claimed], now)
    return [model for model in models if not isinstance(lessons.get(model.id), Nothing)]


def _owner(run: Run) -> tuple[str, uuid.UUID | None, uuid.UUID | None]:
    return run.kind, run.model_id, run.foundation_model_id


def _newest_runs(wanted: list[Run]) -> dict[tuple[str, uuid.UUID | None, uuid.UUID | None], Run]:
    """Return the newest run there has been of each kind and model that a run is wanted for."""
    same = Q(model_id__in=[run.model_id for run in wanted if run.model_id]) | Q(
        foundation_model_id__in=[run.foundation_model_id for run in wanted if run.foundation_model_id]
    )
    owner = ("kind", "model_id", "foundation_model_id")
    rows = Run.objects.filter(same).order_by(*owner, "-created_at").distinct(*owner)
    return {_owner(run): run for run in rows.only(*owner, "state", "stop_reason", "faults", "finished_at")}


def _on_hold(last: Run | None, now: datetime) -> bool:
    """Whether the newest run says not to start another: stopped or faulty until a person retries, else for a while."""
    if last is None or last.state == State.SUCCEEDED:
        return False
    if last.state == State.CANCELLED:
        return last.stop_reason != "model_paused"
    if last.state == State.FAILED:
        if last.faults.get(Fault.USER):
            return True
        return last.finished_at is not None and now < last.finished_at + HOLD_AFTER_FAILURE
    return False


def is_active(run: Run) -> bool:
    """Whether the run's model still wants training, and its tenant is not suspended."""
    owner: VerticalModel | FoundationModel | None = run.model or run.foundation_model
    if isinstance(owner, VerticalModel):
        return (owner.status, owner.tenant.status) == (VerticalModel.Status.ACTIVE, Tenant.Status.ACTIVE)
    return owner is not None and owner.is_active
