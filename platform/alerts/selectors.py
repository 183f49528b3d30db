"""Reads of webhooks and their log."""

import uuid

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from alerts import errors
from alerts.models import Delivery, DeliveryAttempt, Webhook


def webhooks() -> QuerySet[Webhook]:
    """Return the webhooks in scope with the number of waiting deliveries."""
    return Webhook.objects.annotate(waiting=Count("deliveries", filter=Q(deliveries__state=Delivery.State.PENDING)))


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


def deliveries(*, webhook_id: uuid.UUID) -> QuerySet[Delivery]:
    """Return a webhook's deliveries with their events and what the last attempt said."""
    last = DeliveryAttempt.objects.filter(delivery_id=OuterRef("id")).order_by("-number")
    return (
        Delivery.objects.filter(webhook_id=webhook_id)
        .select_related("event")
        .annotate(last_code=Subquery(last.values("code")[:1]), last_status=Subquery(last.values("status")[:1]))
    )


def delivery(*, webhook_id: uuid.UUID, delivery_id: uuid.UUID) -> Delivery:
    """Return one delivery of the webhook; NotFound if there is none."""
    found = deliveries(webhook_id=webhook_id).prefetch_related("log").filter(id=delivery_id).first()
    if found is None:
        raise errors.delivery_not_found()
    return found
