"""Webhooks, the events they are told, and the log of every delivery."""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q

from alerts.types import EventType
from tenancy.models import TenantOwned


class Webhook(TenantOwned):
    """An address of a tenant that is told of events. Its secret is derived from `salt` and never stored."""

    class Status(models.TextChoices):
        ACTIVE = "active"
        DISABLED = "disabled"

    url = models.CharField(max_length=2000)
    description = models.CharField(max_length=200, blank=True)
    event_types = ArrayField(models.CharField(max_length=40, choices=EventType.choices))
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    disabled_reason = models.CharField(max_length=200, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True, help_text="first failure after the last success")
    salt = models.CharField(max_length=64)
    previous_salt = models.CharField(max_length=64, blank=True)
    previous_until = models.DateTimeField(null=True, blank=True, help_text="the secret before the rotation signs too")

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"webhook {self.id}"


class WebhookEvent(TenantOwned):
    """Something that happened, written in its own transaction. The id is the event's id at every receiver."""

    type = models.CharField(max_length=40, choices=EventType.choices)
    data = models.JSONField(encoder=DjangoJSONEncoder)

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="webhook_event_created")]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


class Delivery(TenantOwned):
    """One event on its way to one webhook: pending until it is delivered, given up or dropped."""

    class State(models.TextChoices):
        PENDING = "pending"
        DELIVERED = "delivered"
        FAILED = "failed"
        DROPPED = "dropped"

    class Cause(models.TextChoices):
        EVENT = "event"
        TEST = "test"
        REPLAY = "replay"

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(WebhookEvent, on_delete=models.CASCADE, related_name="deliveries")
    cause = models.CharField(max_length=8, choices=Cause.choices, default=Cause.EVENT)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    lease_token = models.UUIDField(null=True, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=Q(state="pending"), name="delivery_due"),
            models.Index(fields=["webhook", "-id"], name="delivery_webhook"),
        ]

    def __str__(self) -> str:
        return f"delivery {self.id}"

    @property
    def due_at(self) -> datetime | None:
        """When it is tried next; None once it has ended."""
        return self.next_attempt_at if self.state == self.State.PENDING else None


class DeliveryAttempt(TenantOwned):
    """One try: what the receiver answered, or why it could not be asked."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="log")
    number = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField()
    milliseconds = models.PositiveIntegerField()
    status = models.PositiveSmallIntegerField(null=True, blank=True, help_text="HTTP status, if there was an answer")
    code = models.CharField(max_length=40, help_text="`ok`, or why it counts as failed")
    detail = models.CharField(max_length=300, blank=True)
    response = models.CharField(max_length=1000, blank=True, help_text="the beginning of the answer's body")

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["delivery", "number"], name="delivery_attempt_number")]

    def __str__(self) -> str:
        return f"attempt {self.number}"
