"""The audit log: one row per change, in the change's own transaction, append-only by database permission."""

import uuid
from typing import Any

from django.db import models, transaction

from tenancy.context import current_actor
from tenancy.models import AuditEntry, Tenant


def record(
    action: str,
    target: models.Model,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
) -> AuditEntry:
    """Write the audit row of a change to `target`; call it once per mutation, in the mutation's transaction.

    Args:
        action: `resource.verb`, e.g. "model.pause".
        target: the row that changed; its tenant becomes the entry's (null for the platform's own rows).
        before, after: what changed, JSON-able (Decimal, UUID and datetime included). Never secrets.
        reason: why; the acting administrator's stated reason if empty.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("audit.record() must be called in the transaction of the change")
    actor = current_actor()
    entry = AuditEntry(
        tenant_id=_tenant_of(target),
        actor_id=actor.user_id,
        actor_label=actor.label,
        token_prefix=actor.token_prefix,
        action=action,
        target_type=target._meta.model_name or "",
        target_id=str(target.pk),
        before=before,
        after=after,
        reason=reason or actor.reason,
        request_id=actor.request_id,
    )
    entry.save(force_insert=True)
    return entry


def _tenant_of(target: models.Model) -> uuid.UUID | None:
    if isinstance(target, Tenant):
        return target.id
    tenant_id: uuid.UUID | None = getattr(target, "tenant_id", None)
    return tenant_id
