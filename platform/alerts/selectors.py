"""Reads of webhooks and their log."""

import uuid
from typing import Any

import orjson
from django.db import connection
from django.db.models import CharField, IntegerField, QuerySet
from django.db.models.expressions import RawSQL

from alerts import errors
from alerts.models import Delivery, Webhook
from tenancy.scope import current_scope

_WAITING = RawSQL(
    "SELECT count(*) FROM alerts_delivery d WHERE d.webhook_id = alerts_webhook.id AND d.state = %s",
    [Delivery.State.PENDING],
    output_field=IntegerField(),
)


def webhooks() -> QuerySet[Webhook]:
    """Return the webhooks in scope with the number of waiting deliveries."""
    return Webhook.objects.annotate(waiting=_WAITING)


def webhook(*, webhook_id: uuid.UUID) -> Webhook:
    """Return one webhook in scope; NotFound if there is none."""
    found = webhooks().filter(id=webhook_id).first()
    if found is None:
        raise errors.webhook_not_found()
    return found


def locked(*, webhook_id: uuid.UUID) -> Webhook:
    """Return one webhook in scope, locked for the rest of the transaction."""
    found = Webhook.objects.select_for_update().filter(id=webhook_id).first()
    if found is None:
        raise errors.webhook_not_found()
    return found


def require_webhook(*, webhook_id: uuid.UUID) -> None:
    """Raise NotFound unless the scope has such a webhook."""
    if not Webhook.objects.filter(id=webhook_id).exists():
        raise errors.webhook_not_found()


_LAST = """
    SELECT a.{} FROM alerts_deliveryattempt a WHERE a.delivery_id = alerts_delivery.id ORDER BY a.number DESC LIMIT 1
"""
_LAST_CODE = RawSQL(_LAST.format("code"), [], output_field=CharField())  # noqa: S611 - nothing in it is given
_LAST_STATUS = RawSQL(_LAST.format("status"), [], output_field=IntegerField())  # noqa: S611


def deliveries(*, webhook_id: uuid.UUID) -> QuerySet[Delivery]:
    """Return a webhook's deliveries with what the last attempt said."""
    return Delivery.objects.filter(webhook_id=webhook_id).annotate(last_code=_LAST_CODE, last_status=_LAST_STATUS)


def delivery(*, webhook_id: uuid.UUID, delivery_id: uuid.UUID) -> Delivery:
    """Return one delivery of the webhook with its event; NotFound if there is none."""
    found = Delivery.objects.filter(webhook_id=webhook_id, id=delivery_id).select_related("event").first()
    if found is None:
        raise errors.delivery_not_found()
    return found


_DETAIL = """
    SELECT d.id, d.event_id, e.type, d.cause, d.state, d.attempts, CASE WHEN d.state = %s THEN d.next_attempt_at END,
        d.finished_at, d.created_at, e.data
    FROM alerts_delivery d JOIN alerts_webhookevent e ON e.id = d.event_id
    WHERE d.tenant_id = %s AND d.webhook_id = %s AND d.id = %s
"""
_LOG = """
    SELECT number, started_at, milliseconds, status, code, detail, response
    FROM alerts_deliveryattempt WHERE tenant_id = %s AND delivery_id = %s ORDER BY number
"""
_TRY = ("number", "started_at", "milliseconds", "status", "code", "detail", "response")


def delivery_detail(*, webhook_id: uuid.UUID, delivery_id: uuid.UUID) -> dict[str, Any]:
    """Return a delivery of the tenant's webhook with what was sent and every attempt, as it is shown; or NotFound."""
    tenant = current_scope().tenant_id
    with connection.cursor() as cursor:
        cursor.execute(_DETAIL, [Delivery.State.PENDING, tenant, webhook_id, delivery_id])
        found = cursor.fetchone()
        if found is None:
            raise errors.delivery_not_found()
        cursor.execute(_LOG, [tenant, delivery_id])
        log = [dict(zip(_TRY, row, strict=True)) for row in cursor.fetchall()]
    shown_id, event, kind, cause, state, attempts, due, finished, created, data = found
    return {
        "id": shown_id,
        "event": event,
        "event_type": kind,
        "cause": cause,
        "state": state,
        "attempts": attempts,
        "next_attempt_at": due,
        "finished_at": finished,
        "last_code": log[-1]["code"] if log else None,
        "last_status": log[-1]["status"] if log else None,
        "created_at": created,
        "data": orjson.Fragment(data),
        "log": log,
    }
