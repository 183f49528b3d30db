"""Webhooks and deliveries in the operators' site, to look at; of an address the host alone, as it may be a secret."""

from urllib.parse import urlsplit

from django.contrib import admin

from alerts.models import Delivery, Webhook
from tenancy.operators import ReadOnlyAdmin


@admin.register(Webhook)
class WebhookAdmin(ReadOnlyAdmin):
    """Webhooks of all tenants."""

    list_display = ("id", "tenant", "host", "event_types", "status", "failing_since", "created_at")
    list_filter = ("status",)
    list_select_related = ("tenant",)
    search_fields = ("tenant__slug",)
    exclude = ("url", "salt", "previous_salt")
    readonly_fields = ("host",)

    @admin.display(description="host")
    def host(self, webhook: Webhook) -> str:
        """The host of its address."""
        return urlsplit(webhook.url).hostname or ""


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """What was sent where, and what came of it."""

    list_display = ("id", "tenant", "event", "cause", "state", "attempts", "next_attempt_at", "finished_at")
    list_filter = ("state", "cause", "event__type")
    list_select_related = ("tenant", "event")
    exclude = ("lease_token",)
