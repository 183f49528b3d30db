"""Writes that people and the planner ask for: submit a run, stop it, try again."""

import uuid

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from registry.models import FoundationModel, VerticalModel
from runs import nudges
from runs.errors import RunClosed, RunOpen, not_found
from runs.models import OPEN_STATES, Kind, Run, State
from tenancy import audit
from tenancy.context import current_actor
from tenancy.errors import Conflict
from tenancy.scope import current_scope

PRIORITIES = {Kind.FM_TRAIN: 20, Kind.DAS_SCORE: 10, Kind.VM_TRAIN: 0}
"""The teacher goes before its scoring, scoring before the students that wait for it."""


@transaction.atomic
def submit(
    *, kind: Kind, model: VerticalModel | None = None, foundation_model: FoundationModel | None = None, reason: str = ""
) -> Run:
    """Queue a run: of a vertical model for its tenant, or of a foundation model for the platform.

    Raises RunOpen if one of that kind is open already: the database allows only one.
    """
    try:
        with transaction.atomic():
            run = Run.objects.create(
                tenant_id=model.tenant_id if model else None,
                kind=kind,
                model=model,
                foundation_model=foundation_model,
                created_by_id=current_actor().user_id,
                priority=PRIORITIES[kind],
                reason_code="queued",
                reason_message="It waits for the dispatcher.",
            )
    except IntegrityError as error:
        raise RunOpen from error
    audit.record("run.submit", run, after={"kind": kind, "model": str(model or foundation_model)}, reason=reason)
    nudges.announce(run)
    nudges.dispatch_on_commit()
    return run


@transaction.atomic
def request_stop(*, run_id: uuid.UUID, reason: str = "user") -> Run:
    """Ask an open run to stop. Its supervisor finishes the batch and leaves; the dispatcher cancels a waiting one.

    Asking twice is harmless. Raises NotFound, or RunClosed if the run has ended.
    """
    run = get_visible(run_id=run_id)
    if run.state not in OPEN_STATES:
        raise RunClosed(run.state)
    asked = Run.objects.filter(id=run.id, stop_requested_at__isnull=True, state__in=OPEN_STATES).update(
        stop_requested_at=timezone.now(), stop_reason=reason
    )
    if asked:
        audit.record("run.stop", run, before={"state": run.state}, after={"stop_reason": reason})
        nudges.announce(run)
        nudges.wake_supervisors()
        nudges.dispatch_on_commit()
    run.refresh_from_db()
    return run


@transaction.atomic
def retry(*, run_id: uuid.UUID) -> Run:
    """Queue a new run in place of a failed or cancelled one; it goes on from the last checkpoint."""
    run = get_visible(run_id=run_id)
    if run.state not in (State.FAILED, State.CANCELLED):
        raise Conflict(
            "run_not_failed",
            f"Only a failed or cancelled run can be retried; this one is {run.state}.",
            "Wait for it to end.",
        )
    if run.model and run.model.status != VerticalModel.Status.ACTIVE:
        raise Conflict("model_paused", "The model is paused.", "Resume the model; training then goes on by itself.")
    reason = f"retry of {run.id}"
    return submit(kind=Kind(run.kind), model=run.model, foundation_model=run.foundation_model, reason=reason)


def get_visible(*, run_id: uuid.UUID) -> Run:
    """Return the run if the scope may see it, else raise NotFound."""
    visible = Q() if current_scope().tenant_id is None else Q(tenant_id=current_scope().tenant_id)
    run = Run.objects.filter(visible, id=run_id).select_related("model", "foundation_model").first()
    if run is None:
        raise not_found()
    return run
