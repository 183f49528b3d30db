"""Live events: one LISTEN for all streams of a process, and never another tenant's run."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import AsyncClient

from api.live import BACKLOG, Subscriber, hub
from config.embedded.postgres import Postgres
from runs.models import Run
from tenancy.ids import new_id
from tenancy.models import Tenant, User
from tenancy.scope import platform_scope
from tests.kit import domain
from tests.kit.cast import Cast, make_cast
from tests.kit.factories import make_token
from tests.kit.patience import PATIENCE
from tests.kit.roles import APP, PLATFORM, database_role

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _as_the_web_process(transactional_db: None) -> Any:
    """Run as `exfm_app`, with committed rows, because the reading threads have connections of their own."""
    cache.clear()
    with database_role(APP):
        yield


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """A committed cast."""
    return make_cast()


def make_run(tenant: Tenant) -> Run:
    """Store a run."""
    with database_role(PLATFORM), platform_scope("test"):
        return domain.make_run(tenant)


def listen(scenario: Coroutine[Any, Any, None]) -> None:
    """Run a scenario on an event loop, as the ASGI server does."""

    async def bounded() -> None:
        await asyncio.wait_for(scenario, PATIENCE)

    async_to_sync(bounded)()


async def opened(user: User | None, path: str, **headers: str) -> Any:
    """Open a stream."""
    client = AsyncClient()
    if user is not None:
        await client.aforce_login(user)
    return await client.get(f"/api/v1/tenants/{path}", headers={k.replace("_", "-"): v for k, v in headers.items()})


async def next_event(stream: AsyncIterator[bytes]) -> tuple[str, dict[str, Any]]:
    """Return the next event, leaving out comments."""
    async for chunk in stream:
        fields = dict(line.split(": ", 1) for line in chunk.decode().splitlines() if ": " in line and line[0] != ":")
        if "event" in fields:
            return fields["event"], json.loads(fields["data"])
    raise AssertionError("the stream ended")


def notify(postgres: Postgres, tenant: object, run: object) -> None:
    """Notify as a supervisor does."""
    with postgres.connect("exfm") as link:
        link.execute("SELECT pg_notify('exfm', %s)", [f"{tenant}:{run}"])


def test_a_change_of_a_run_arrives_with_its_card(cast: Cast, postgres: Postgres) -> None:
    run = make_run(cast.tenant)

    async def scenario() -> None:
        response = await opened(cast.viewer, f"{cast.tenant.slug}/events")
        assert response.status_code == 200
        assert response.headers["Content-Type"] == "text/event-stream"
        stream = aiter(response.streaming_content)
        assert b"retry" in await anext(stream)
        await hub().listening.wait()
        await sync_to_async(notify)(postgres, cast.tenant.id, run.id)
        name, card = await next_event(stream)
        assert (name, card["id"], card["state"]) == ("run", str(run.id), "running")
        await stream.aclose()  # type: ignore[attr-defined]

    listen(scenario())


def test_another_tenants_run_never_arrives(cast: Cast, postgres: Postgres) -> None:
    theirs, ours = make_run(cast.elsewhere), make_run(cast.tenant)

    async def scenario() -> None:
        response = await opened(cast.viewer, f"{cast.tenant.slug}/events")
        stream = aiter(response.streaming_content)
        await anext(stream)
        await hub().listening.wait()
        for tenant, run in (
            (cast.elsewhere.id, theirs.id),
            (cast.tenant.id, theirs.id),
            ("platform", theirs.id),
            (cast.tenant.id, new_id()),
            (cast.tenant.id, ours.id),
        ):
            await sync_to_async(notify)(postgres, tenant, run)
        assert (await next_event(stream))[1]["id"] == str(ours.id)
        await stream.aclose()  # type: ignore[attr-defined]

    listen(scenario())


def test_one_run_alone_starts_with_its_card_and_a_reconnect_with_a_resync(cast: Cast) -> None:
    run = make_run(cast.tenant)

    async def scenario() -> None:
        response = await opened(cast.viewer, f"{cast.tenant.slug}/events?run={run.id}", Last_Event_ID="17")
        stream = aiter(response.streaming_content)
        await anext(stream)
        assert (await next_event(stream))[0] == "resync"
        assert (await next_event(stream))[1]["id"] == str(run.id)
        await stream.aclose()  # type: ignore[attr-defined]

    listen(scenario())


def test_the_last_stream_frees_the_connection(cast: Cast, postgres: Postgres) -> None:
    async def scenario() -> None:
        response = await opened(cast.viewer, f"{cast.tenant.slug}/events")
        stream = aiter(response.streaming_content)
        await anext(stream)
        waiting = asyncio.ensure_future(next_event(stream))
        await hub().listening.wait()
        waiting.cancel()  # what the server does when the browser goes away
        with contextlib.suppress(asyncio.CancelledError):
            await waiting
        assert hub()._tenants == {}
        assert not hub().listening.is_set()

    listen(scenario())


def test_a_reader_that_falls_behind_is_dropped(cast: Cast) -> None:
    async def scenario() -> None:
        slow = Subscriber(cast.tenant.id, None)
        for _ in range(BACKLOG):
            slow.offer(("run", {}))
        assert not slow.dropped
        slow.offer(("run", {}))
        assert slow.dropped

    listen(scenario())


def test_the_wall_is_the_same_as_everywhere(cast: Cast) -> None:
    theirs = make_run(cast.elsewhere)
    with database_role(PLATFORM):
        _, weak = make_token(cast.owner, cast.tenant, ["models:read"])
        _, foreign = make_token(cast.stranger, cast.elsewhere, ["runs:read"])

    async def scenario() -> None:
        path = f"{cast.tenant.slug}/events"
        for user, address, headers, status in (
            (None, path, {}, 401),
            (cast.stranger, path, {}, 404),
            (cast.admin, path, {}, 404),
            (cast.billing, path, {}, 403),
            (None, path, {"Authorization": f"Bearer {weak}"}, 403),
            (None, path, {"Authorization": f"Bearer {foreign}"}, 404),
            (None, path, {"Authorization": "Bearer nonsense"}, 401),
            (cast.viewer, f"{path}?run={theirs.id}", {}, 404),
            (cast.viewer, f"{path}?run=nonsense", {}, 422),
        ):
            response = await opened(user, address, **headers)
            assert (response.status_code, response.headers["Content-Type"]) == (status, "application/problem+json")

    listen(scenario())


def test_revoking_ends_an_open_stream(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    from api.v1 import events

    monkeypatch.setattr(events, "KEEP_ALIVE_SECONDS", 0.05)
    with database_role(PLATFORM):
        token, text = make_token(cast.owner, cast.tenant, ["runs:read"])

    def revoke() -> None:
        with database_role(PLATFORM), platform_scope("test"):
            type(token).objects.filter(id=token.id).update(revoked_at="2026-01-01T00:00:00Z")

    async def scenario() -> None:
        response = await opened(None, f"{cast.tenant.slug}/events", Authorization=f"Bearer {text}")
        stream = aiter(response.streaming_content)
        await anext(stream)
        assert await anext(stream) == b": keep-alive\n\n"
        await sync_to_async(revoke)()
        assert all([chunk == b": keep-alive\n\n" async for chunk in stream])

    listen(scenario())


@pytest.mark.parametrize("change", ["sign out", "deactivate"])
def test_signing_out_and_deactivation_end_an_open_stream(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    from api.v1 import events

    monkeypatch.setattr(events, "KEEP_ALIVE_SECONDS", 0.05)

    def leave() -> None:
        with database_role(PLATFORM), platform_scope("test"):
            if change == "sign out":
                Session.objects.all().delete()
            else:
                User.objects.filter(id=cast.viewer.id).update(is_active=False)

    async def scenario() -> None:
        response = await opened(cast.viewer, f"{cast.tenant.slug}/events")
        stream = aiter(response.streaming_content)
        await anext(stream)
        assert await anext(stream) == b": keep-alive\n\n"
        await sync_to_async(leave)()
        assert all([chunk == b": keep-alive\n\n" async for chunk in stream])

    listen(scenario())


def test_a_lost_database_connection_is_made_anew_and_told(
    cast: Cast, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(cast.tenant)
    monkeypatch.setattr("api.live.RECONNECT_SECONDS", 0.05)

    def cut() -> None:
        with postgres.connect("exfm") as link:
            link.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'LISTEN exfm'")

    async def scenario() -> None:
        response = await opened(cast.viewer, f"{cast.tenant.slug}/events")
        stream = aiter(response.streaming_content)
        await anext(stream)
        await hub().listening.wait()
        await sync_to_async(cut)()
        assert (await next_event(stream))[0] == "resync"
        await sync_to_async(notify)(postgres, cast.tenant.id, run.id)
        assert (await next_event(stream))[1]["id"] == str(run.id)
        await stream.aclose()  # type: ignore[attr-defined]

    listen(scenario())


def test_a_synchronous_server_says_where_to_go(cast: Cast) -> None:
    from tests.kit.api import Api, problem

    problem(Api(cast.viewer).get(f"tenants/{cast.tenant.slug}/events"), 503, "stream_elsewhere")
