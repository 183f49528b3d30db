"""Makes runs where there is work: at most one open run per model and kind. Idempotent; called at nudges and sweeps."""

from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from registry.models import FoundationModel, VerticalModel
from runs.errors import RunOpen
from runs.models import OPEN_STATES, Fault, Kind, Run, State
from runs.services import submit
from runs.units import Nothing, foundation_models, next_unit, open_claim
from tenancy.models import Tenant

LOCK: Final = 0x5EED_0001
"""Advisory lock of the planner: two planners take turns."""

HOLD_AFTER_FAILURE: Final = timedelta(minutes=10)


@transaction.atomic
def plan(now: datetime | None = None) -> list[Run]:
    """Queue a run for every model that has a unit of work ready and no open run; return the new runs."""
    moment = now or timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    wanted: list[Run] = []
    for foundation_model in foundation_models():
        wanted += [Run(kind=kind, foundation_model=foundation_model) for kind in (Kind.FM_TRAIN, Kind.DAS_SCORE)]
    models = VerticalModel.objects.filter(
        status=VerticalModel.Status.ACTIVE, tenant__status=Tenant.Status.ACTIVE
    ).select_related("stream", "tenant")
    wanted += [Run(kind=Kind.VM_TRAIN, model=model, tenant=model.tenant) for model in models]
    busy = set(Run.objects.filter(state__in=OPEN_STATES).values_list("kind", "model_id", "foundation_model_id"))
    made = []
    for run in wanted:
        if (run.kind, run.model_id, run.foundation_model_id) in busy or _on_hold(run, moment):
            continue
        if open_claim(run) is None and isinstance(next_unit(run, moment), Nothing):
            continue
        try:
            made.append(submit(kind=Kind(run.kind), model=run.model, foundation_model=run.foundation_model))
        except RunOpen:
            continue
    return made


def _on_hold(wanted: Run, now: datetime) -> bool:
    """Whether the newest run says not to start another: stopped or faulty until a person retries, else for a while."""
    last = (
        Run.objects.filter(kind=wanted.kind, model=wanted.model, foundation_model=wanted.foundation_model)
        .order_by("-created_at")
        .first()
    )
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
