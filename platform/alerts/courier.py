"""Delivering: claim one delivery under a lease, send it outside any transaction, record what came of it.

At least once: whoever dies between sending and recording leaves a lease that lapses, and the event is sent again under
the same id. One webhook has one delivery in flight, one tenant two, so that a slow receiver delays its own alone.
"""

import json
import random
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from alerts import services, signing, transport
from alerts.models import Delivery, DeliveryAttempt, Webhook, WebhookEvent
from alerts.transport import Answer
from tenancy import audit
from tenancy.ids import new_id
from tenancy.models import Tenant

log = structlog.get_logger("exfm.alerts")

LEASE: Final = timedelta(seconds=90)
"""Longer than any exchange with a slow resolver may take."""

MAX_ATTEMPTS: Final = 10
FIRST_PAUSE: Final = timedelta(seconds=5)
LONGEST_PAUSE: Final = timedelta(hours=6)
DISABLE_AFTER: Final = timedelta(days=3)
"""How long a receiver may fail without one success before its webhook is disabled."""

KEEP: Final = timedelta(days=30)
IN_FLIGHT_PER_TENANT: Final = 2
USER_AGENT: Final = "ExFM-Webhooks/1"


@dataclass(frozen=True)
class Claim:
    """A delivery that is ours to make, ready to be sent."""

    delivery_id: uuid.UUID
    token: uuid.UUID
    number: int
    url: str
    body: bytes
    headers: dict[str, str]


def pause_after(failures: int) -> timedelta:
    """Return how long to wait after the given number of failures: 5 s, 20 s, 80 s … at most 6 h."""
    pause: timedelta = FIRST_PAUSE * 4 ** (failures - 1)
    return min(pause, LONGEST_PAUSE)


def send(claim: Claim) -> Answer:
    """Send a claimed delivery; not to be called inside a transaction, as it may take seconds."""
    return transport.post(claim.url, claim.body, claim.headers)


@transaction.atomic
def claim_next(now: datetime | None = None) -> Claim | None:
    """Take a lease on the delivery that has been due longest; None = nothing is due that may be made now.

    Call it, as `record`, under `platform_scope`.
    """
    moment = now or timezone.now()
    mine = Delivery.objects.filter(webhook_id=OuterRef("id"), state=Delivery.State.PENDING)
    due = mine.filter(next_attempt_at__lte=moment).order_by("next_attempt_at", "id")
    held = Q(lease_expires_at__gt=moment)
    of_tenant = (
        Delivery.objects.filter(held, tenant_id=OuterRef("tenant_id"), state=Delivery.State.PENDING)
        .order_by()
        .values("tenant_id")
        .annotate(count=Count("id"))
        .values("count")
    )
    webhook = (
        Webhook.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("tenant")
        .filter(Exists(due), ~Exists(mine.filter(held)), tenant__status=Tenant.Status.ACTIVE)
        .annotate(in_flight=Coalesce(Subquery(of_tenant), Value(0)), since=Subquery(due.values("next_attempt_at")[:1]))
        .filter(in_flight__lt=IN_FLIGHT_PER_TENANT)
        .order_by("since")
        .first()
    )
    if webhook is None:
        return None
    rows = Delivery.objects.select_related("event").filter(
        webhook_id=webhook.id, state=Delivery.State.PENDING, next_attempt_at__lte=moment
    )
    delivery = rows.exclude(held).order_by("next_attempt_at", "id").first()
    if delivery is None:
        return None
    token = new_id()
    Delivery.objects.filter(id=delivery.id).update(
        lease_token=token, lease_expires_at=moment + LEASE, attempts=F("attempts") + 1
    )
    body = body_of(delivery.event, webhook.tenant.slug)
    stamp = int(moment.timestamp())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "Connection": "close",
        "Exfm-Event": str(delivery.event_id),
        "Exfm-Event-Type": delivery.event.type,
        "Exfm-Delivery": str(delivery.id),
        "Exfm-Attempt": str(delivery.attempts + 1),
        "Exfm-Signature": signing.header(signing.secrets_of(webhook, moment), stamp, body),
    }
    return Claim(delivery.id, token, delivery.attempts + 1, webhook.url, body, headers)


def body_of(event: WebhookEvent, tenant: str) -> bytes:
    """Return the bytes that are signed and sent: the same for every attempt."""
    said = {
        "id": event.id,
        "type": event.type,
        "created_at": event.created_at,
        "tenant": tenant,
        "data": event.data,
    }
    return json.dumps(said, cls=DjangoJSONEncoder, ensure_ascii=False, separators=(",", ":")).encode()


@transaction.atomic
def record(*, claim: Claim, answer: Answer, started: datetime) -> None:
    """Write the attempt and what follows from it; nothing where the lease was lost meanwhile."""
    now = timezone.now()
    # The webhook's lock comes first, as everywhere.
    webhook = Webhook.objects.select_for_update().filter(deliveries=claim.delivery_id).first()
    mine = Delivery.objects.filter(id=claim.delivery_id, lease_token=claim.token, state=Delivery.State.PENDING)
    if webhook is None or not mine.exists():
        log.warning("delivery made under a lost lease", delivery=str(claim.delivery_id), code=answer.code)
        return
    DeliveryAttempt.objects.create(
        tenant_id=webhook.tenant_id,
        delivery_id=claim.delivery_id,
        number=claim.number,
        started_at=started,
        milliseconds=answer.milliseconds,
        status=answer.status,
        code=answer.code,
        detail=answer.detail,
        response=answer.response,
    )
    free = {"lease_token": None, "lease_expires_at": None}
    if answer.ok:
        mine.update(state=Delivery.State.DELIVERED, finished_at=now, **free)
        Webhook.objects.filter(id=webhook.id, failing_since__isnull=False).update(failing_since=None)
        return
    if claim.number >= MAX_ATTEMPTS:
        mine.update(state=Delivery.State.FAILED, finished_at=now, **free)
    else:
        # Jitter, so that deliveries which failed together do not come back together.
        jitter = random.Random(claim.delivery_id.int + claim.number).uniform(0.9, 1.1)  # noqa: S311
        mine.update(next_attempt_at=now + pause_after(claim.number) * jitter, **free)
    _note_failure(webhook, answer, now)


def _note_failure(webhook: Webhook, answer: Answer, now: datetime) -> None:
    """Remember since when the receiver fails; disable the webhook when that is too long, or when it says so (410)."""
    if webhook.status != Webhook.Status.ACTIVE:
        return
    since = webhook.failing_since or now
    if answer.code == "gone":
        reason = "Its receiver answered 410 Gone."
    elif now - since >= DISABLE_AFTER:
        reason = f"Its receiver has failed since {since:%Y-%m-%d %H:%M} UTC."
    else:
        Webhook.objects.filter(id=webhook.id).update(failing_since=since)
        return
    webhook.status = Webhook.Status.DISABLED
    webhook.failing_since = since
    webhook.disabled_reason = reason
    webhook.save(update_fields=["status", "failing_since", "disabled_reason"])
    dropped = services.drop_waiting(webhook)
    audit.record("webhook.disable", webhook, after={"dropped": dropped}, reason=reason)


def due(now: datetime | None = None) -> int:
    """Count the webhooks that have a delivery due, up to a handful: how many hands to call."""
    moment = now or timezone.now()
    rows = Delivery.objects.filter(state=Delivery.State.PENDING, next_attempt_at__lte=moment)
    rows = rows.exclude(lease_expires_at__gt=moment)
    return len(rows.order_by().values("webhook_id").distinct()[:8])


def forget_old(now: datetime | None = None) -> int:
    """Remove events of more than thirty days ago with their log; return how many rows went."""
    moment = now or timezone.now()
    return WebhookEvent.objects.filter(created_at__lt=moment - KEEP).delete()[0]
