"""Live progress inside one process: one LISTEN connection feeds all event streams, grouped by tenant.

A notification is `<tenant id>:<run id>` and carries nothing else; the run is read again under the tenant, once per
notification however many streams wait for it.
"""

import asyncio
import uuid
import weakref
from collections import defaultdict
from typing import Any

import psycopg
import structlog
from asgiref.sync import sync_to_async
from django.db import connection

from runs.selectors import run_card
from tenancy.scope import tenant_scope

log = structlog.get_logger("exfm.live")

CHANNEL = "exfm"
BACKLOG = 256
RECONNECT_SECONDS = 1.0
CONNECTION_KEYS = ("dbname", "user", "password", "host", "port", "sslmode", "sslrootcert", "application_name")

Event = tuple[str, dict[str, Any]]


class Subscriber:
    """One open stream, dropped when it falls `BACKLOG` events behind; the browser then reconnects and catches up."""

    def __init__(self, tenant_id: uuid.UUID, run_id: uuid.UUID | None) -> None:
        self.tenant_id = tenant_id
        self.run_id = run_id
        self.queue: asyncio.Queue[Event] = asyncio.Queue(BACKLOG)
        self.dropped = False

    def offer(self, event: Event) -> None:
        """Hand over an event without waiting."""
        try:
            self.queue.put_nowait(event)
        except asyncio.QueueFull:
            self.dropped = True


class Hub:
    """All streams of one event loop."""

    def __init__(self) -> None:
        self._tenants: dict[uuid.UUID, set[Subscriber]] = defaultdict(set)
        self._listener: asyncio.Task[None] | None = None
        self._reader: asyncio.Task[None] | None = None
        self._changed: dict[tuple[uuid.UUID, uuid.UUID], None] = {}
        self._wake = asyncio.Event()
        self.listening = asyncio.Event()

    def subscribe(self, subscriber: Subscriber) -> None:
        """Start feeding a stream, and the listener with the first one."""
        self._tenants[subscriber.tenant_id].add(subscriber)
        if self._listener is None or self._listener.done():
            self._listener = asyncio.create_task(self._listen())
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read())

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Stop feeding a stream; the last one stops the listener and frees its connection."""
        members = self._tenants[subscriber.tenant_id]
        members.discard(subscriber)
        if not members:
            del self._tenants[subscriber.tenant_id]
        if not self._tenants:
            for task in (self._listener, self._reader):
                if task is not None:
                    task.cancel()
            self._listener = self._reader = None
            self._changed.clear()
            self.listening.clear()

    async def _listen(self) -> None:
        """Hold the LISTEN connection; after a loss, reconnect and tell every stream to read anew."""
        lost = False
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(**_parameters(), autocommit=True) as link:
                    await link.execute(f"LISTEN {CHANNEL}")
                    self.listening.set()
                    if lost:
                        self._tell_all(("resync", {}))
                    async for notice in link.notifies():
                        self._note(notice.payload)
            except psycopg.Error as error:
                log.warning("live.lost", error=str(error))
            lost = True
            self.listening.clear()
            await asyncio.sleep(RECONNECT_SECONDS)

    def _note(self, payload: str) -> None:
        """Remember which run changed, if any stream waits for its tenant; repeated changes count once."""
        owner, _, run = payload.partition(":")
        try:
            key = (uuid.UUID(owner), uuid.UUID(run))
        except ValueError:
            return  # the platform's own runs, which no tenant sees
        if key[0] in self._tenants:
            self._changed[key] = None
            self._wake.set()

    async def _read(self) -> None:
        """Read changed runs under their tenant and hand them to the tenant's streams."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._changed:
                tenant_id, run_id = key = next(iter(self._changed))
                del self._changed[key]
                waiting = [one for one in self._tenants.get(tenant_id, ()) if one.run_id in (None, run_id)]
                if not waiting:
                    continue
                try:
                    card = await read_card(tenant_id, run_id)
                except Exception:
                    log.exception("live.unreadable", run=str(run_id))
                    continue
                if card is not None:
                    for subscriber in waiting:
                        subscriber.offer(("run", card))

    def _tell_all(self, event: Event) -> None:
        for members in self._tenants.values():
            for subscriber in members:
                subscriber.offer(event)


_hubs: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = weakref.WeakKeyDictionary()


def hub() -> Hub:
    """Return the hub of the running event loop; a server's worker has one."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())


async def read_card(tenant_id: uuid.UUID, run_id: uuid.UUID) -> dict[str, Any] | None:
    """Return the run's card as the tenant sees it, None if it sees no such run."""
    return await sync_to_async(_card, thread_sensitive=False)(tenant_id, run_id)


def _card(tenant_id: uuid.UUID, run_id: uuid.UUID) -> dict[str, Any] | None:
    try:
        with tenant_scope(tenant_id):
            return run_card(run_id)
    finally:
        connection.close()  # this thread belongs to nobody: give the connection back to the pool


def _parameters() -> dict[str, Any]:
    known = connection.get_connection_params()
    return {name: known[name] for name in CONNECTION_KEYS if known.get(name)}
