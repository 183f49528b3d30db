"""Webhooks and their log as JSON."""

from typing import Any

from rest_framework import serializers

from alerts.models import Delivery, Webhook
from alerts.services import Terms, changed
from alerts.types import SUBSCRIBABLE, EventType
from api.base.serializers import StrictSerializer


class WebhookSerializer(StrictSerializer):
    """An address that is told of events."""

    id = serializers.UUIDField()
    url = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    event_types = serializers.ListField(child=serializers.ChoiceField(choices=SUBSCRIBABLE))
    status = serializers.ChoiceField(choices=Webhook.Status.choices)
    disabled_reason = serializers.CharField(allow_blank=True, help_text="why it is disabled, empty while it is active")
    failing_since = serializers.DateTimeField(
        allow_null=True, help_text="first failure after the last success; after three days it is disabled"
    )
    previous_until = serializers.DateTimeField(
        allow_null=True, help_text="after a rotation: until then the old secret signs as well"
    )
    waiting = serializers.IntegerField(help_text="deliveries that wait")
    created_at = serializers.DateTimeField()


class WebhookSecretSerializer(WebhookSerializer):
    """A webhook with its secret: the only answer that holds it. A repetition by idempotency key gets null."""

    secret = serializers.CharField(allow_null=True)


class WebhookTermsSerializer(StrictSerializer):
    """What may be changed of a webhook; what is left out stays."""

    url = serializers.CharField(max_length=2000, required=False)
    description = serializers.CharField(max_length=200, required=False, allow_blank=True)
    event_types = serializers.ListField(
        child=serializers.ChoiceField(choices=SUBSCRIBABLE), allow_empty=False, max_length=20, required=False
    )
    enabled = serializers.BooleanField(required=False, help_text="enabling forgives past failures")

    def terms(self, before: Terms) -> Terms:
        """Return the terms with what was sent in place of what was."""
        return changed(before, **self.validated_data)


class NewWebhookSerializer(WebhookTermsSerializer):
    """A webhook to make."""

    url = serializers.CharField(max_length=2000, help_text="an https:// address that the internet can reach")
    event_types = serializers.ListField(
        child=serializers.ChoiceField(choices=SUBSCRIBABLE), allow_empty=False, max_length=20
    )


class DeliveryAttemptSerializer(StrictSerializer):
    """One try. A number that is missing belongs to a worker that died before it could write."""

    number = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    milliseconds = serializers.IntegerField()
    status = serializers.IntegerField(allow_null=True, help_text="HTTP status, null without an answer")
    code = serializers.CharField(help_text="`ok`, or why it counts as failed")
    detail = serializers.CharField(allow_blank=True)
    response = serializers.CharField(allow_blank=True, help_text="the beginning of the answer's body")


class DeliverySerializer(StrictSerializer):
    """One event on its way to one webhook."""

    id = serializers.UUIDField()
    event = serializers.UUIDField(source="event_id", help_text="the event's id, the same at every delivery of it")
    event_type = serializers.ChoiceField(choices=EventType.choices, source="event.type")
    cause = serializers.ChoiceField(choices=Delivery.Cause.choices)
    state = serializers.ChoiceField(choices=Delivery.State.choices)
    attempts = serializers.IntegerField()
    next_attempt_at = serializers.DateTimeField(
        source="due_at", allow_null=True, help_text="when it is tried next, null once it has ended"
    )
    finished_at = serializers.DateTimeField(allow_null=True)
    last_code = serializers.CharField(allow_null=True, help_text="what the last attempt came to")
    last_status = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()


class DeliveryDetailSerializer(DeliverySerializer):
    """A delivery with what was sent and every attempt."""

    data = serializers.DictField(source="event.data", help_text="the event's `data`")  # type: ignore[assignment]
    log = DeliveryAttemptSerializer(many=True)


def shown(webhook: Webhook) -> dict[str, Any]:
    """Return the webhook's representation."""
    return dict(WebhookSerializer(webhook).data)
