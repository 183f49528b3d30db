"""Webhooks over HTTP, under the tenants' database role."""

from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection

from alerts import services
from alerts.models import Delivery, Webhook
from tenancy import outbox
from tenancy.models import AuditEntry
from tenancy.scope import platform_scope
from tests.kit.api import Api, problem
from tests.kit.cast import Cast
from tests.kit.roles import PLATFORM, database_role
from tests.platform.alerts.receiver import Receiver
from workers.delivering import deliver_next

URL = "https://hooks.example.com/in/t0ken-of-the-receiver?x=1"
NEW = {"url": URL, "event_types": ["run.failed", "run.failed", "partition.rejected"], "description": "to the chat"}


@pytest.fixture(autouse=True)
def _as_the_web_process(as_app: None) -> None:
    cache.clear()


def deliver() -> bool:
    """Be the worker."""
    with database_role(PLATFORM):
        return deliver_next()


def made(cast: Cast, **changes: Any) -> dict[str, Any]:
    """Make a webhook as the owner."""
    answer = Api(cast.owner).post(f"tenants/{cast.tenant.slug}/webhooks", {**NEW, **changes})
    assert answer.status_code == 201, answer.content
    body: dict[str, Any] = answer.json()
    return body


def test_the_secret_is_shown_once_and_stored_nowhere(cast: Cast) -> None:
    webhook = made(cast)
    assert webhook["secret"].startswith("whsec_")
    assert webhook["event_types"] == ["run.failed", "partition.rejected"]
    api, address = Api(cast.owner), f"tenants/{cast.tenant.slug}/webhooks/{webhook['id']}"
    assert "secret" not in api.get(address).json()
    rotated = api.post(f"{address}/rotate")
    assert rotated.status_code == 200
    assert rotated.json()["secret"] != webhook["secret"]
    assert rotated.json()["previous_until"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.tenant', %s, true)", [str(cast.tenant.id)])
        for table in ("alerts_webhook", "tenancy_auditentry"):
            cursor.execute(f"SELECT string_agg(t::text, ' ') FROM {table} t")
            stored = cursor.fetchone()[0]
            assert webhook["secret"].removeprefix("whsec_") not in stored
            assert rotated.json()["secret"].removeprefix("whsec_") not in stored
            assert table == "alerts_webhook" or "t0ken-of-the-receiver" not in stored
    with database_role(PLATFORM), platform_scope("test"):
        entry = AuditEntry.objects.get(action="webhook.create")
        assert entry.after is not None
        assert entry.after["host"] == "hooks.example.com"


def test_a_repeated_create_makes_one_webhook_and_tells_no_secret(cast: Cast) -> None:
    api, address = Api(cast.owner), f"tenants/{cast.tenant.slug}/webhooks"
    first = api.post(address, NEW, Idempotency_Key="one")
    again = api.post(address, NEW, Idempotency_Key="one")
    assert first.json()["id"] == again.json()["id"]
    assert again.json()["secret"] is None
    assert len(api.get(address).json()["results"]) == 1


def test_a_repeated_rotation_test_or_replay_happens_once(cast: Cast) -> None:
    webhook = made(cast)
    api, address = Api(cast.owner), f"tenants/{cast.tenant.slug}/webhooks/{webhook['id']}"
    first, again = (api.post(f"{address}/rotate", Idempotency_Key="new") for _ in range(2))
    assert first.json()["secret"].startswith("whsec_")
    assert again.json() == {**first.json(), "secret": None}, "a second rotation would have ended the secret in use"
    first, again = (api.post(f"{address}/test", Idempotency_Key="test") for _ in range(2))
    assert again.json() == first.json()
    replay = f"{address}/deliveries/{first.json()['id']}/replay"
    with database_role(PLATFORM), platform_scope("test"):
        Delivery.objects.update(state=Delivery.State.FAILED)
    first, again = (api.post(replay, Idempotency_Key="replay") for _ in range(2))
    assert (first.status_code, again.json()) == (202, first.json())
    assert len(api.get(f"{address}/deliveries").json()["results"]) == 2
    with database_role(PLATFORM), platform_scope("test"):
        done = AuditEntry.objects.filter(action__startswith="webhook.").values_list("action", flat=True)
        assert sorted(done) == ["webhook.create", "webhook.replay", "webhook.rotate_secret", "webhook.test"]


def test_a_change_needs_the_version_that_was_read(cast: Cast) -> None:
    webhook = made(cast)
    api, address = Api(cast.owner), f"tenants/{cast.tenant.slug}/webhooks/{webhook['id']}"
    tag = api.get(address).headers["ETag"]
    changed = api.patch(address, {"enabled": False}, If_Match=tag)
    assert changed.json()["status"] == "disabled"
    assert changed.json()["disabled_reason"]
    problem(api.patch(address, {"description": "x"}, If_Match=tag), 412, "changed_meanwhile")
    problem(api.post(f"{address}/test"), 409, "webhook_disabled")
    enabled = api.patch(address, {"enabled": True}).json()
    assert (enabled["status"], enabled["disabled_reason"], enabled["url"]) == ("active", "", URL)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"url": "http://hooks.example.com/"}, 422),
        ({"url": "https://127.0.0.1:5432/"}, 422),
        ({"url": "https://[::ffff:10.0.0.1]/"}, 422),
        ({"url": "https://169.254.169.254/latest/meta-data"}, 422),
        ({"url": "gopher://x"}, 422),
        ({"url": "x" * 2001}, 400),
        ({"event_types": []}, 400),
        ({"event_types": ["run.exploded"]}, 400),
        ({"event_types": ["webhook.test"]}, 400),
        ({"secret": "mine"}, 400),
    ],
)
def test_what_is_refused(cast: Cast, changes: dict[str, Any], status: int) -> None:
    body = problem(Api(cast.owner).post(f"tenants/{cast.tenant.slug}/webhooks", {**NEW, **changes}), status)
    assert body["field"].partition("[")[0] in {"url", "event_types", "secret"}


def test_a_tenant_has_a_bounded_number(cast: Cast) -> None:
    for _ in range(services.MAX_WEBHOOKS):
        made(cast)
    problem(Api(cast.owner).post(f"tenants/{cast.tenant.slug}/webhooks", NEW), 409, "webhooks_limit")


def test_the_log_shows_attempts_and_replays(cast: Cast, far: Receiver) -> None:
    webhook = made(cast, url=far.url())
    api, address = Api(cast.owner), f"tenants/{cast.tenant.slug}/webhooks/{webhook['id']}"
    queued = api.post(f"{address}/test")
    assert (queued.status_code, queued.json()["state"]) == (202, "pending")
    problem(api.post(f"{address}/deliveries/{queued.json()['id']}/replay"), 409, "delivery_pending")
    assert api.get(address).json()["waiting"] == 1
    assert deliver()
    assert far.got[0].signed_with(webhook["secret"])
    shown = api.get(f"{address}/deliveries/{queued.json()['id']}").json()
    assert (shown["state"], shown["next_attempt_at"], shown["last_code"], shown["last_status"]) == (
        "delivered", None, "ok", 204,
    )  # fmt: skip
    assert [entry["code"] for entry in shown["log"]] == ["ok"]
    assert api.post(f"{address}/deliveries/{shown['id']}/replay").status_code == 202
    assert deliver()
    assert far.got[0].body == far.got[1].body
    listed = api.get(f"{address}/deliveries").json()["results"]
    assert [row["cause"] for row in listed] == ["replay", "test"]
    assert [row for row in listed if row["id"] == shown["id"]] == [
        {name: value for name, value in shown.items() if name not in ("data", "log")}
    ]
    assert api.get(f"{address}/deliveries?state=pending").json()["results"] == []
    problem(api.get(f"{address}/deliveries?state=lost"), 422, "bad_state")


def test_removing_a_webhook_removes_its_log(cast: Cast, far: Receiver) -> None:
    webhook = made(cast, url=far.url())
    with database_role(PLATFORM), platform_scope("test"):
        outbox.tell("run.failed", tenant_id=cast.tenant.id, data={})
    assert deliver()
    api, address = Api(cast.owner), f"tenants/{cast.tenant.slug}/webhooks/{webhook['id']}"
    assert api.delete(address).status_code == 204
    problem(api.get(address), 404, "webhook_not_found")
    with database_role(PLATFORM), platform_scope("test"):
        assert not Delivery.objects.exists()


def test_anothers_webhook_is_not_there(cast: Cast) -> None:
    webhook = made(cast)
    stranger = Api(cast.stranger)
    address = f"tenants/{cast.elsewhere.slug}/webhooks/{webhook['id']}"
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/test"), ("POST", "/rotate"), ("GET", "/deliveries"),
                         ("GET", "/deliveries?state=failed"), ("GET", "/deliveries?state=lost")):  # fmt: skip
        problem(stranger.call(method, address + path), 404, "webhook_not_found")
    with database_role(PLATFORM), platform_scope("test"):
        assert Webhook.objects.filter(id=webhook["id"]).exists()
