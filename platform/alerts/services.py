"""Writes that people ask for: webhooks, their secrets, test deliveries and replays."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from django.db import transaction
from django.utils import timezone

from alerts import addresses, errors, outbox, selectors, signing
from alerts.models import Delivery, Webhook
from alerts.types import EventType
from tenancy import audit
from tenancy.models import Tenant

MAX_WEBHOOKS: Final = 20
MAX_ASKED: Final = 100
"""Deliveries that may wait for a webhook when a person asks for one more."""


@dataclass(frozen=True)
class Terms:
    """What a team decides about a webhook."""

    url: str
    event_types: tuple[str, ...]
    description: str = ""
    enabled: bool = True

    def audited(self) -> dict[str, object]:
        """What the audit log says: the path may be a secret of the receiver's, so the host alone."""
        return {
            "host": urlsplit(self.url).hostname,
            "event_types": list(self.event_types),
            "enabled": self.enabled,
            "description": self.description,
        }


def terms_of(webhook: Webhook) -> Terms:
    """Return the terms as they are."""
    return Terms(webhook.url, tuple(webhook.event_types), webhook.description, webhook.status == Webhook.Status.ACTIVE)


@transaction.atomic
def create_webhook(*, tenant: Tenant, terms: Terms) -> tuple[Webhook, str]:
    """Store a webhook; return it with its secret, which is shown this once."""
    _check_url(terms.url)
    if Webhook.objects.filter(tenant_id=tenant.id).count() >= MAX_WEBHOOKS:
        raise errors.too_many(MAX_WEBHOOKS)
    webhook = Webhook(tenant=tenant, salt=signing.fresh_salt())
    _apply(webhook, terms)
    webhook.save(force_insert=True)
    audit.record("webhook.create", webhook, after=terms.audited())
    return webhook, signing.secret_of(webhook.salt)


@transaction.atomic
def change_webhook(*, webhook_id: uuid.UUID, terms: Terms) -> Webhook:
    """Change a webhook. Disabling drops what waits for it; enabling forgives past failures."""
    webhook = selectors.locked(webhook_id=webhook_id)
    before = terms_of(webhook)
    if before == terms:
        return webhook
    if before.url != terms.url:
        _check_url(terms.url)
    _apply(webhook, terms)
    if terms.enabled != before.enabled:
        webhook.disabled_reason = "" if terms.enabled else "It was disabled on request."
        webhook.failing_since = None
        if not terms.enabled:
            drop_waiting(webhook)
    webhook.save(update_fields=["url", "description", "event_types", "status", "disabled_reason", "failing_since"])
    audit.record("webhook.change", webhook, before=before.audited(), after=terms.audited())
    return webhook


@transaction.atomic
def remove_webhook(*, webhook_id: uuid.UUID) -> None:
    """Remove a webhook with its log."""
    webhook = selectors.locked(webhook_id=webhook_id)
    audit.record("webhook.remove", webhook, before=terms_of(webhook).audited())
    webhook.delete()


@transaction.atomic
def rotate_secret(*, webhook_id: uuid.UUID) -> tuple[Webhook, str]:
    """Give a webhook a new secret, shown this once; the old one signs as well for a day."""
    webhook = selectors.locked(webhook_id=webhook_id)
    webhook.previous_salt, webhook.salt = webhook.salt, signing.fresh_salt()
    webhook.previous_until = timezone.now() + signing.OVERLAP
    webhook.save(update_fields=["previous_salt", "salt", "previous_until"])
    audit.record("webhook.rotate_secret", webhook, after={"previous_until": webhook.previous_until})
    return webhook, signing.secret_of(webhook.salt)


@transaction.atomic
def send_test(*, webhook_id: uuid.UUID) -> Delivery:
    """Send a `webhook.test` event to the webhook, whatever it subscribes to."""
    webhook = _ready(webhook_id)
    event = outbox.write_event(
        tenant_id=webhook.tenant_id, kind=EventType.TEST, data={"webhook": {"id": webhook.id}, "test": True}
    )
    delivery = outbox.address(event=event, webhook=webhook, cause=Delivery.Cause.TEST)
    audit.record("webhook.test", webhook, after={"delivery": delivery.id})
    return delivery


@transaction.atomic
def replay(*, webhook_id: uuid.UUID, delivery_id: uuid.UUID) -> Delivery:
    """Deliver an event once more, under its own id, to the address that the webhook has now."""
    webhook = _ready(webhook_id)
    old = selectors.delivery(webhook_id=webhook_id, delivery_id=delivery_id)
    if old.state == Delivery.State.PENDING:
        raise errors.still_pending()
    delivery = outbox.address(event=old.event, webhook=webhook, cause=Delivery.Cause.REPLAY)
    audit.record("webhook.replay", webhook, after={"delivery": delivery.id, "event": old.event_id})
    return delivery


def drop_waiting(webhook: Webhook) -> int:
    """Give up what waits for the webhook; each can be replayed later."""
    rows = Delivery.objects.filter(webhook_id=webhook.id, state=Delivery.State.PENDING)
    return rows.update(
        state=Delivery.State.DROPPED, finished_at=timezone.now(), lease_token=None, lease_expires_at=None
    )


def changed(terms: Terms, **changes: object) -> Terms:
    """Return the terms with what was given in place of what was."""
    types = changes.get("event_types")
    if isinstance(types, Sequence) and not isinstance(types, str):
        changes["event_types"] = tuple(dict.fromkeys(types))
    return replace(terms, **changes)  # type: ignore[arg-type]


def _ready(webhook_id: uuid.UUID) -> Webhook:
    webhook = selectors.locked(webhook_id=webhook_id)
    if webhook.status != Webhook.Status.ACTIVE:
        raise errors.disabled()
    if outbox.waiting(webhook) >= MAX_ASKED:
        raise errors.busy(MAX_ASKED)
    return webhook


def _check_url(url: str) -> None:
    try:
        addresses.parse(url)
    except addresses.Forbidden as refusal:
        raise errors.bad_url(refusal) from refusal


def _apply(webhook: Webhook, terms: Terms) -> None:
    webhook.url = terms.url
    webhook.description = terms.description
    webhook.event_types = list(terms.event_types)
    webhook.status = Webhook.Status.ACTIVE if terms.enabled else Webhook.Status.DISABLED
