"""Deliveries to a real receiver: signed, retried, logged, bounded, and never where they may not go."""

import itertools
import json
import threading
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from django.utils import timezone

from alerts import courier, selectors, services, signing
from alerts.models import Delivery, DeliveryAttempt, Webhook
from tenancy import outbox
from tenancy.models import AuditEntry, Tenant
from tenancy.scope import platform_scope, tenant_scope
from tests.kit.cast import Cast
from tests.kit.ports import free_port_pair
from tests.platform.alerts.conftest import Make
from tests.platform.alerts.receiver import Receiver, status
from workers.delivering import deliver_next


def tell(tenant: Tenant, kind: str = "run.succeeded") -> None:
    """Let something happen."""
    with platform_scope("test"):
        outbox.tell(kind, tenant_id=tenant.id, data={"run": {"id": "r", "name": "Ünï"}})


def make_due() -> None:
    """Let the pause before the next attempt pass."""
    with platform_scope("test"):
        Delivery.objects.filter(state="pending").update(next_attempt_at=timezone.now())


def rows(tenant: Tenant) -> tuple[list[Delivery], list[DeliveryAttempt]]:
    """Return the tenant's deliveries and attempts, oldest first."""
    with platform_scope("test"):
        return (
            list(Delivery.objects.filter(tenant=tenant).order_by("id")),
            list(DeliveryAttempt.objects.filter(tenant=tenant).order_by("id")),
        )


def test_an_event_arrives_signed_and_is_logged(cast: Cast, far: Receiver, make: Make) -> None:
    webhook, secret = make(cast.tenant, far.url())
    tell(cast.tenant)
    before = int(time.time())
    assert deliver_next()
    assert not deliver_next()
    (got,) = far.got
    (delivery,), (attempt,) = rows(cast.tenant)
    said = json.loads(got.body)
    assert said["id"] == got.headers["exfm-event"] == str(delivery.event_id)
    assert (said["type"], said["tenant"], said["data"]) == (
        "run.succeeded",
        cast.tenant.slug,
        {"run": {"id": "r", "name": "Ünï"}},
    )
    assert got.signed_with(secret)
    assert not got.signed_with(secret[:-1] + ("A" if secret[-1] != "A" else "B"))
    stamp = int(got.headers["exfm-signature"].partition(",")[0].removeprefix("t="))
    assert before <= stamp <= time.time()
    assert (delivery.state, attempt.status, attempt.code) == ("delivered", 204, "ok")
    assert webhook.id == delivery.webhook_id


def test_a_failure_is_tried_again_later_with_the_same_event_and_body(cast: Cast, far: Receiver, make: Make) -> None:
    _, secret = make(cast.tenant, far.url())
    tell(cast.tenant)
    far.answer = status(500, b"out of order " * 500)
    assert deliver_next()
    assert not deliver_next(), "the pause has not passed"
    make_due()
    far.answer = status(200)
    assert deliver_next()
    first, second = far.got
    assert first.body == second.body
    assert first.headers["exfm-event"] == second.headers["exfm-event"]
    assert (first.headers["exfm-attempt"], second.headers["exfm-attempt"]) == ("1", "2")
    assert second.signed_with(secret)
    (delivery,), (failed, done) = rows(cast.tenant)
    assert (failed.code, failed.status, done.code) == ("refused", 500, "ok")
    assert failed.response.startswith("out of order")
    assert len(failed.response) <= 1000
    assert delivery.state == "delivered"


def test_pauses_grow_to_six_hours_and_ten_attempts_are_the_end(cast: Cast, far: Receiver, make: Make) -> None:
    pauses = [courier.pause_after(number).total_seconds() for number in range(1, 10)]
    assert pauses == [5, 20, 80, 320, 1280, 5120, 20480, 21600, 21600]
    make(cast.tenant, far.url())
    tell(cast.tenant)
    far.answer = status(503)
    with platform_scope("test"):
        Delivery.objects.update(attempts=courier.MAX_ATTEMPTS - 1)
    assert deliver_next()
    (delivery,), (attempt,) = rows(cast.tenant)
    assert (delivery.state, attempt.number) == ("failed", courier.MAX_ATTEMPTS)


def test_a_receiver_that_is_down_is_a_failure_like_any(cast: Cast, far: Receiver, make: Make) -> None:
    make(cast.tenant, f"http://127.0.0.1:{free_port_pair()}/")
    tell(cast.tenant)
    assert deliver_next()
    (delivery,), (attempt,) = rows(cast.tenant)
    assert (delivery.state, attempt.code, attempt.status) == ("pending", "unreachable", None)
    assert delivery.next_attempt_at > timezone.now()


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Answer one byte at a time, each within every time-out of a single read, until the sender hangs up."""
    for letter in itertools.chain(b"HTTP/1.1 200 OK\r\nX: ", itertools.repeat(ord("x"))):
        handler.wfile.write(bytes([letter]))
        handler.wfile.flush()
        threading.Event().wait(0.05)


def test_a_receiver_that_drips_is_cut_off(cast: Cast, far: Receiver, make: Make, settings: Any) -> None:
    settings.EXFM_WEBHOOK_SECONDS = 1
    make(cast.tenant, far.url())
    tell(cast.tenant)
    far.answer = drip
    assert deliver_next()
    assert rows(cast.tenant)[1][0].code == "timeout"


def test_an_endless_answer_is_read_to_its_bound(cast: Cast, far: Receiver, make: Make) -> None:
    sent = []

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(2_000):
            handler.wfile.write(b"x" * 65_536)
            sent.append(65_536)

    make(cast.tenant, far.url())
    tell(cast.tenant)
    far.answer = endless
    assert deliver_next()
    (delivery,), (attempt,) = rows(cast.tenant)
    assert (delivery.state, len(attempt.response)) == ("delivered", 1000)
    assert sum(sent) < 2_000 * 65_536


@pytest.mark.parametrize("to", ["http://169.254.169.254/latest/meta-data/", "http://127.0.0.1:1/", "/elsewhere"])
def test_redirects_are_not_followed(cast: Cast, far: Receiver, make: Make, to: str) -> None:
    make(cast.tenant, far.url())
    tell(cast.tenant)
    far.answer = status(302, Location=to)
    assert deliver_next()
    assert len(far.got) == 1
    assert (rows(cast.tenant)[1][0].code, rows(cast.tenant)[1][0].status) == ("redirect_refused", 302)


def test_a_name_that_resolves_to_loopback_is_called_only_if_listed(
    cast: Cast, far: Receiver, make: Make, settings: Any
) -> None:
    make(cast.tenant, far.url(host="localhost"))
    tell(cast.tenant)
    settings.EXFM_WEBHOOK_ALLOW = ["10.9.9.0/24"]
    assert deliver_next()
    assert far.got == []
    assert rows(cast.tenant)[1][0].code == "address_refused"
    settings.EXFM_WEBHOOK_ALLOW = ["127.0.0.0/8", "::1/128"]
    make_due()
    assert deliver_next()
    assert far.got[0].headers["host"] == f"localhost:{far.port}"


def test_the_connection_goes_to_the_address_that_was_checked(
    cast: Cast, far: Receiver, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that answers something else the second time gains nothing: it is not asked a second time."""
    import socket

    asked = []
    real = socket.getaddrinfo

    def rebinding(host: str, *args: Any, **kwargs: Any) -> Any:
        if host == "rebind.example.com":
            asked.append(host)
            return real("127.0.0.1" if len(asked) == 1 else "169.254.169.254", *args, **kwargs)
        return real(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    make(cast.tenant, far.url(host="rebind.example.com"))
    tell(cast.tenant)
    assert deliver_next()
    assert asked == ["rebind.example.com"]
    assert far.got[0].headers["host"] == f"rebind.example.com:{far.port}"


def test_a_receiver_that_fails_for_three_days_is_disabled(cast: Cast, far: Receiver, make: Make) -> None:
    webhook, _ = make(cast.tenant, far.url())
    tell(cast.tenant)
    tell(cast.tenant, "run.failed")
    far.answer = status(500)
    assert deliver_next()
    with platform_scope("test"):
        held = Webhook.objects.get(id=webhook.id)
        assert held.status == "active"
        assert held.failing_since is not None
        Webhook.objects.update(failing_since=timezone.now() - courier.DISABLE_AFTER - timedelta(minutes=1))
    make_due()
    assert deliver_next()
    with platform_scope("test"):
        held = Webhook.objects.get(id=webhook.id)
        assert (held.status, "has failed since" in held.disabled_reason) == ("disabled", True)
        assert not Delivery.objects.filter(state="pending").exists()
        assert AuditEntry.objects.filter(action="webhook.disable", target_id=str(webhook.id)).count() == 1
    before = len(far.got)
    tell(cast.tenant)
    assert not deliver_next()
    assert len(far.got) == before


def test_a_success_forgives_and_410_disables_at_once(cast: Cast, far: Receiver, make: Make) -> None:
    webhook, _ = make(cast.tenant, far.url())
    with platform_scope("test"):
        Webhook.objects.update(failing_since=timezone.now() - timedelta(days=2))
    tell(cast.tenant)
    assert deliver_next()
    with platform_scope("test"):
        assert Webhook.objects.get(id=webhook.id).failing_since is None
    far.answer = status(410)
    tell(cast.tenant)
    assert deliver_next()
    with platform_scope("test"):
        assert Webhook.objects.get(id=webhook.id).status == "disabled"


def test_one_in_flight_per_webhook_and_two_per_tenant(cast: Cast, far: Receiver, make: Make) -> None:
    for _ in range(3):
        make(cast.tenant, far.url())
    make(cast.elsewhere, far.url())
    for tenant in (cast.tenant, cast.tenant, cast.elsewhere):
        tell(tenant)
    with platform_scope("test"):
        claims = [claim for _ in range(6) if (claim := courier.claim_next()) is not None]
        held = Delivery.objects.filter(lease_token__in=[claim.token for claim in claims])
        assert sorted(held.values_list("tenant__slug", flat=True)) == sorted(
            [cast.tenant.slug, cast.tenant.slug, cast.elsewhere.slug]
        )
        assert held.values("webhook_id").distinct().count() == 3


def test_a_lost_lease_records_nothing(cast: Cast, far: Receiver, make: Make) -> None:
    make(cast.tenant, far.url())
    tell(cast.tenant)
    with platform_scope("test"):
        first = courier.claim_next()
        later = timezone.now() + courier.LEASE + timedelta(seconds=1)
        second = courier.claim_next(later)
        assert first and second
        assert (first.delivery_id, first.body) == (second.delivery_id, second.body)
        courier.record(claim=first, answer=courier.send(first), started=timezone.now())
        assert not DeliveryAttempt.objects.exists()
        courier.record(claim=second, answer=courier.send(second), started=timezone.now())
    (delivery,), (attempt,) = rows(cast.tenant)
    assert (delivery.state, attempt.number) == ("delivered", 2)


def test_a_rotated_secret_and_the_one_before_both_sign_for_a_day(cast: Cast, far: Receiver, make: Make) -> None:
    webhook, old = make(cast.tenant, far.url())
    with tenant_scope(cast.tenant.id):
        _, new = services.rotate_secret(webhook_id=webhook.id)
    assert old != new
    tell(cast.tenant)
    assert deliver_next()
    assert far.got[0].signed_with(old)
    assert far.got[0].signed_with(new)
    with platform_scope("test"):
        Webhook.objects.update(previous_until=timezone.now() - timedelta(hours=1))
        held = Webhook.objects.get(id=webhook.id)
        assert signing.secrets_of(held, timezone.now()) == [new]


def test_a_new_secret_key_breaks_no_receiver_while_the_old_one_is_a_fallback(
    cast: Cast, far: Receiver, make: Make, settings: Any
) -> None:
    webhook, old = make(cast.tenant, far.url())
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another-" * 8, [settings.SECRET_KEY]
    tell(cast.tenant)
    assert deliver_next()
    assert far.got[0].signed_with(old)
    assert far.got[0].signed_with(signing.secret_of(webhook.salt))
    settings.SECRET_KEY_FALLBACKS = []
    tell(cast.tenant)
    assert deliver_next()
    assert not far.got[1].signed_with(old)


def test_replay_sends_the_same_event_and_test_needs_no_subscription(cast: Cast, far: Receiver, make: Make) -> None:
    webhook, _ = make(cast.tenant, far.url(), ("run.failed",))
    tell(cast.tenant, "run.succeeded")
    assert not deliver_next(), "not subscribed"
    tell(cast.tenant, "run.failed")
    assert deliver_next()
    with tenant_scope(cast.tenant.id):
        first = selectors.deliveries(webhook_id=webhook.id).get()
        services.replay(webhook_id=webhook.id, delivery_id=first.id)
        services.send_test(webhook_id=webhook.id)
    assert deliver_next()
    assert deliver_next()
    assert [got.headers["exfm-event-type"] for got in far.got] == ["run.failed", "run.failed", "webhook.test"]
    assert far.got[0].body == far.got[1].body
    assert far.got[0].headers["exfm-delivery"] != far.got[1].headers["exfm-delivery"]


def test_a_suspended_tenants_webhooks_are_silent(cast: Cast, far: Receiver, make: Make) -> None:
    make(cast.tenant, far.url())
    tell(cast.tenant)
    Tenant.objects.filter(id=cast.tenant.id).update(status=Tenant.Status.SUSPENDED)
    assert not deliver_next()
    assert far.got == []


def test_old_events_are_forgotten_with_their_log(cast: Cast, far: Receiver, make: Make) -> None:
    make(cast.tenant, far.url())
    tell(cast.tenant)
    assert deliver_next()
    tell(cast.tenant)
    with platform_scope("test"):
        assert courier.forget_old(timezone.now() + courier.KEEP - timedelta(hours=1)) == 0
        old = Delivery.objects.earliest("id").event
        type(old).objects.filter(id=old.id).update(created_at=timezone.now() - courier.KEEP - timedelta(hours=1))
        courier.forget_old()
    deliveries, attempts = rows(cast.tenant)
    assert (len(deliveries), attempts) == (1, [])
