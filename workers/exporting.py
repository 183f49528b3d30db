"""Writes tenants' exports: claimed under a lease, streamed into the storage, told of when whole.

A worker that dies leaves a file that no row names: nobody can download it, the next attempt writes another, and the
sweep removes it.
"""

import errno
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.db import Error as DatabaseError

from catalog import storage
from registry import holdings
from runs import leases
from tenancy import export_requests, export_work
from tenancy.errors import DomainError
from tenancy.export_work import Claim, Written
from tenancy.models import Tenant
from workers.archive import Archive, Stopped, one_moment
from workers.bulletin import bulletin
from workers.database import patiently, platform_work
from workers.hands import Hands

log = structlog.get_logger("exfm.workers")

UNREADABLE = DomainError(
    "export_storage",
    "The platform's storage could not be read or written.",
    "Ask for it again later; tell the platform's administrators if it happens once more.",
)
FULL = DomainError(
    "export_no_room",
    "The platform's storage filled up while it was written.",
    "Leave the partitions out, or ask the platform's administrators for room.",
)


def export_next() -> bool:
    """Write the export that waits longest to its end; False = none waits."""
    with platform_work("export"):
        claim = export_work.claim_next(lease=leases.EXPIRY)
    if claim is None:
        return False
    archive = Archive(export_requests.most_bytes())
    kept = False
    try:
        with _renewing(claim, archive):
            written = _write(claim, archive)
        kept = patiently("export", lambda: export_work.finish(claim=claim, written=written))
    except Stopped:
        if bulletin.shutdown.is_set():
            patiently("export", lambda: export_work.give_back(claim=claim))
    except DomainError as error:
        _failed(claim, error)
    except OSError as error:
        log.error("export", export=str(claim.export.id), error=repr(error)[:300])
        _failed(claim, FULL if error.errno == errno.ENOSPC else UNREADABLE)
    finally:
        if not kept:
            storage.remove(claim.uri)
    log.info("export ended", export=str(claim.export.id), kept=kept)
    return True


def _failed(claim: Claim, error: DomainError) -> None:
    patiently("export", lambda: export_work.fail(claim=claim, error=error))


def _write(claim: Claim, archive: Archive) -> Written:
    """Write the whole file: rows as of one moment, then files, then the manifest over both."""
    asked = claim.export
    with platform_work("export"):
        expected = holdings.total_bytes(tenant_id=asked.tenant_id, include=asked.include)
        promised = export_work.promised_bytes(before=asked)
    free = storage.free_bytes()
    export_requests.check_room(expected_bytes=expected, free_bytes=None if free is None else max(0, free - promised))
    with storage.writing(claim.uri) as target, archive.writing_to(target):
        with platform_work("export"), one_moment(asked.tenant):
            archive.add_rows(asked.tenant)
            files = list(holdings.files(tenant_id=asked.tenant_id, include=asked.include))
        for file in files:
            archive.add_file(file)
        archive.add_manifest(asked)
    return Written(
        archive.bytes, archive.sha256(), len(archive.files), sum(archive.rows.values()), len(archive.missing)
    )


@contextmanager
def _renewing(claim: Claim, archive: Archive) -> Iterator[None]:
    """Hold the lease from a thread of its own, however long a read or write takes; without it the writing stops."""
    over = threading.Event()

    def hold() -> None:
        while not over.wait(leases.HEARTBEAT_SECONDS):
            try:
                with platform_work("export"):
                    held = export_work.renew(claim=claim, lease=leases.EXPIRY, written_bytes=archive.bytes)
            except DatabaseError as error:
                log.warning("export not renewed", error=str(error).strip()[:200])
                continue
            if not held or bulletin.shutdown.is_set():
                archive.stop()
                return

    thread = threading.Thread(target=hold, name="export-lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def reconcile() -> None:
    """Take up again what dead workers left, and remove what they had written. Under `platform_work`."""
    for claim in export_work.reconcile():
        log.warning("export lost its worker", export=str(claim.export.id), attempt=claim.export.attempts)
        storage.remove(claim.uri)


def remove_old() -> int:
    """Remove files whose time is over, and files that no row names; return how many. Under `platform_work`."""
    removed = 0
    for uri in export_work.expire():
        storage.remove(uri)
        removed += 1
    for tenant_id in Tenant.objects.values_list("id", flat=True):
        folder = export_work.folder(tenant_id)
        # The files first: one that is begun in between has its row before it.
        there = storage.names(folder)
        used = export_work.in_use(tenant_id=tenant_id) if there else set()
        for name in there:
            if name.removesuffix(".zip") not in used:
                storage.remove(f"{folder}/{name}")
                removed += 1
    return removed


hands = Hands(export_next, most=2, name="exports")
