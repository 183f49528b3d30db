"""The audit log: one row per change, in the change's own transaction, append-only by database permission."""

import json
import uuid
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models, transaction

from tenancy.context import current_actor
from tenancy.ids import new_id
from tenancy.models import AuditEntry, Tenant, User


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


def record_account(
    action: str,
    user: User,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Write the audit row of a change to a user's own account; `action` is `account.…`.

    It belongs to no tenant, so tenants' processes write it through a function. The acting user is the account's.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("audit.record_account() belongs into the change's transaction")
    actor = current_actor()
    values = [before, after]
    was, became = (None if value is None else json.dumps(value, cls=DjangoJSONEncoder) for value in values)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT exfm_audit_account(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [new_id(), user.pk, user.email, actor.token_prefix, action, was, became, reason, actor.request_id],
        )


def _tenant_of(target: models.Model) -> uuid.UUID | None:
    if isinstance(target, Tenant):
        return target.id
    tenant_id: uuid.UUID | None = getattr(target, "tenant_id", None)
    return tenant_id
