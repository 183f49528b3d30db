"""The outbox: an event and its deliveries are rows of the transaction in which it happens."""

import uuid
from collections.abc import Mapping
from typing import Any, Final

import structlog
from django.db import transaction
from django.utils import timezone

from alerts.models import Delivery, Webhook, WebhookEvent
from alerts.types import EventType
from config.celery import nudge
from tenancy.outbox import Occurrence

log = structlog.get_logger("exfm.alerts")

MAX_WAITING: Final = 10_000
"""Deliveries that may wait for one webhook; further ones are dropped, and the log says so."""


def keep(occurrence: Occurrence) -> None:
    """Write the event and a delivery for every webhook that wants it; nothing where none does."""
    kind = EventType(occurrence.type)
    wanted = Webhook.objects.filter(
        tenant_id=occurrence.tenant_id, status=Webhook.Status.ACTIVE, event_types__contains=[kind.value]
    )
    webhooks = list(wanted.order_by("id"))
    if webhooks:
        event = write_event(tenant_id=occurrence.tenant_id, kind=kind, data=occurrence.data)
        for webhook in webhooks:
            address(event=event, webhook=webhook)


def write_event(*, tenant_id: uuid.UUID, kind: EventType, data: Mapping[str, Any]) -> WebhookEvent:
    """Store an event."""
    event = WebhookEvent(tenant_id=tenant_id, type=kind, data=dict(data))
    event.save(force_insert=True)
    return event


def address(*, event: WebhookEvent, webhook: Webhook, cause: Delivery.Cause = Delivery.Cause.EVENT) -> Delivery:
    """Store a delivery of the event to the webhook and nudge a worker once that is durable."""
    now = timezone.now()
    full = cause == Delivery.Cause.EVENT and waiting(webhook) >= MAX_WAITING
    delivery = Delivery(
        tenant_id=webhook.tenant_id,
        webhook=webhook,
        event=event,
        cause=cause,
        state=Delivery.State.DROPPED if full else Delivery.State.PENDING,
        next_attempt_at=now,
        finished_at=now if full else None,
    )
    delivery.save(force_insert=True)
    if full:
        log.warning("webhook overrun; delivery dropped", webhook=str(webhook.id))
    transaction.on_commit(lambda: nudge("alerts.deliver"))
    return delivery


def waiting(webhook: Webhook) -> int:
    """Count the deliveries that wait for the webhook, up to the most that may."""
    rows = Delivery.objects.filter(webhook_id=webhook.id, state=Delivery.State.PENDING)
    return rows[: MAX_WAITING + 1].count()
