"""Telling the run's tenant how it ended, in the transaction that ends it."""

import uuid

from runs.models import Run, State
from tenancy import outbox

TYPES = {State.SUCCEEDED: "run.succeeded", State.FAILED: "run.failed", State.CANCELLED: "run.cancelled"}


def tell(run_id: uuid.UUID, state: State) -> None:
    """Tell what a tenant may know of its run's end; the platform's own runs are nobody's."""
    run = Run.objects.select_related("model").get(id=run_id)
    if run.tenant_id is None:
        return
    model = {"id": run.model_id, "name": run.model.name} if run.model else None
    outbox.tell(
        TYPES[state],
        tenant_id=run.tenant_id,
        data={
            "run": {
                "id": run.id,
                "kind": run.kind,
                "state": state,
                "reason": {"code": run.reason_code, "message": run.reason_message},
                "model": model,
                "created_at": run.created_at,
                "started_at": run.started_at,
                "finished_at": run.finished_at,
            }
        },
    )
