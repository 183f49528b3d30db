"""Server-sent events: what changes in a tenant's runs, while it changes."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.urls import path
from django.views.decorators.http import require_GET

from api.base.authentication import again
from api.base.errors import CONTENT_TYPE, request_id_of, to_problem
from api.base.viewsets import check_member, check_role
from api.live import Event, Subscriber, hub, read_card
from tenancy.errors import DomainError, Forbidden, Invalid, NotFound
from tenancy.tokens import TokenGrant

PERMISSION = "runs:read"
KEEP_ALIVE_SECONDS = 15.0
RETRY_MILLISECONDS = 3000


@transaction.non_atomic_requests
@require_GET
async def events(request: HttpRequest, tenant: str) -> HttpResponseBase:
    """Stream `run` events of the tenant, or of one run (`?run=`). `resync` means: read again what you show.

    Each event holds the run's card as the API gives it. After a break the browser reconnects with `Last-Event-ID`, and
    the first event is a `resync`, because nothing is kept for those who were away.
    """
    try:
        if not isinstance(request, ASGIRequest):
            raise DomainError(
                "stream_elsewhere",
                "This process does not serve event streams.",
                "Send the request to the stream process.",
                status=503,
            )
        run_id = _run_id(request)
        tenant_id = await sync_to_async(admit)(request, tenant)
        card = await read_card(tenant_id, run_id) if run_id else None
        if run_id and card is None:
            raise NotFound("run_not_found", "There is no such run.")
    except DomainError as error:
        problem = to_problem(error)
        return JsonResponse(
            problem.body(request_id_of(request)),
            status=problem.status,
            content_type=CONTENT_TYPE,
            headers=problem.headers,
        )
    subscriber = Subscriber(tenant_id, run_id)
    first: list[Event] = [("resync", {})] if request.headers.get("Last-Event-ID") else []
    first += [("run", card)] if card is not None else []
    return StreamingHttpResponse(
        _stream(request, tenant, subscriber, first),
        content_type="text/event-stream",
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
    )


def admit(request: HttpRequest, slug: str) -> uuid.UUID:
    """Check caller, membership, role and scope like `TenantViewSet`; return the tenant's id."""
    try:
        with transaction.atomic():
            user, grant = again(request)
            membership = check_member(user=user, grant=grant, slug=slug, session=request.session)
            check_role(membership, PERMISSION)
            if isinstance(grant, TokenGrant) and PERMISSION not in grant.scopes:
                raise Forbidden("scope_missing", f"This token lacks the scope {PERMISSION}.")
            return membership.tenant_id
    finally:
        if not connection.in_atomic_block:
            connection.close()


async def _stream(request: HttpRequest, slug: str, subscriber: Subscriber, first: list[Event]) -> AsyncIterator[bytes]:
    live = hub()
    live.subscribe(subscriber)
    try:
        yield f"retry: {RETRY_MILLISECONDS}\n: connected\n\n".encode()
        for event in first:
            yield encode(event)
        checked = time.monotonic()
        while not subscriber.dropped:
            try:
                event = await asyncio.wait_for(subscriber.queue.get(), KEEP_ALIVE_SECONDS)
                yield encode(event)
            except TimeoutError:
                yield b": keep-alive\n\n"
            if time.monotonic() - checked >= KEEP_ALIVE_SECONDS:
                checked = time.monotonic()
                try:
                    await sync_to_async(admit, thread_sensitive=False)(request, slug)
                except DomainError:
                    return
    finally:
        live.unsubscribe(subscriber)


def encode(event: Event) -> bytes:
    """Return the event in the wire format; ids are times, so that a reconnecting browser sends one."""
    name, data = event
    text = json.dumps(data, cls=DjangoJSONEncoder, separators=(",", ":"))
    return f"id: {time.time_ns() // 1000}\nevent: {name}\ndata: {text}\n\n".encode()


def _run_id(request: HttpRequest) -> uuid.UUID | None:
    text = request.GET.get("run")
    if text is None:
        return None
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise Invalid(
            "run_invalid", "`run` is not an id.", "Give the run's id, or leave it out.", field="run"
        ) from error


urls = [path("events", events)]
