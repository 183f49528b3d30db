"""Exports as workers write them: taken under a lease, fenced by its token, taken up again when a worker died."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast

from django.db import transaction
from django.db.models import F, QuerySet, Sum
from django.db.models.functions import Greatest
from django.utils import timezone

from tenancy import audit, outbox
from tenancy.errors import DomainError
from tenancy.export_requests import OPEN_STATES, kept_for
from tenancy.ids import new_id
from tenancy.models import Tenant, TenantExport

MOST_ATTEMPTS: Final = 3
"""How often a file is begun whose worker dies."""

State = TenantExport.State
FREE: Final[Mapping[str, None]] = {"lease_token": None, "lease_expires_at": None}


@dataclass(frozen=True)
class Claim:
    """An export that is ours to write, until the lease lapses."""

    export: TenantExport
    token: uuid.UUID

    @property
    def uri(self) -> str:
        """Where this attempt writes; no other attempt ever does."""
        return f"{folder(self.export.tenant_id)}/{self.export.id}-{self.token}.zip"


@dataclass(frozen=True)
class Written:
    """A whole file, not yet told of."""

    bytes: int
    sha256: str
    files: int
    rows: int
    missing: int


def folder(tenant_id: uuid.UUID) -> str:
    """Return where a tenant's exports lie, relative to the storage root."""
    return f"tenants/{tenant_id}/exports"


@transaction.atomic
def claim_next(*, lease: timedelta) -> Claim | None:
    """Take the export that waits longest; None where none does."""
    row = (
        TenantExport.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("tenant", "requested_by")
        .filter(state=State.QUEUED, tenant__status=Tenant.Status.ACTIVE)
        .order_by("created_at")
        .first()
    )
    if row is None:
        return None
    now = timezone.now()
    row.state, row.lease_token, row.lease_expires_at = State.RUNNING, new_id(), now + lease
    row.attempts, row.started_at, row.written_bytes = row.attempts + 1, row.started_at or now, 0
    row.save(update_fields=["state", "lease_token", "lease_expires_at", "attempts", "started_at", "written_bytes"])
    return Claim(row, row.lease_token)


def renew(*, claim: Claim, lease: timedelta, written_bytes: int) -> bool:
    """Prolong the lease and tell how far the writing is; False where it is not ours any more."""
    until = timezone.now() + lease
    return _held(claim).update(lease_expires_at=until, written_bytes=written_bytes) == 1


@transaction.atomic
def finish(*, claim: Claim, written: Written) -> bool:
    """Make the file downloadable; False, and nothing done, under a lost lease."""
    now = timezone.now()
    done = _held(claim).update(
        state=State.DONE,
        uri=claim.uri,
        bytes=written.bytes,
        written_bytes=written.bytes,
        sha256=written.sha256,
        files=written.files,
        rows=written.rows,
        missing=written.missing,
        finished_at=now,
        expires_at=now + kept_for(),
        **FREE,
    )
    if done:
        _ended(claim.export.id)
    return bool(done)


@transaction.atomic
def fail(*, claim: Claim, error: DomainError) -> bool:
    """End the export with a sentence that people read; False under a lost lease."""
    failed = _held(claim).update(
        state=State.FAILED, error=error.message[:400], mend=error.mend[:400], finished_at=timezone.now(), **FREE
    )
    if failed:
        _ended(claim.export.id)
    return bool(failed)


def give_back(*, claim: Claim) -> None:
    """Queue the export again, as the worker leaves; this attempt does not count."""
    _held(claim).update(state=State.QUEUED, attempts=F("attempts") - 1, written_bytes=0, **FREE)


def reconcile(now: datetime | None = None) -> list[Claim]:
    """Queue what dead workers left, or give it up after several; return what they left, for their files."""
    lapsed = TenantExport.objects.filter(state=State.RUNNING, lease_expires_at__lt=now or timezone.now())
    left = []
    for row in lapsed:
        with transaction.atomic():
            # Looked at again under the lock: the worker may have answered in between.
            held = lapsed.select_for_update(of=("self",), skip_locked=True).filter(id=row.id).first()
            if held is None:
                continue
            claim = Claim(held, cast(uuid.UUID, held.lease_token))
            if held.attempts < MOST_ATTEMPTS:
                _held(claim).update(state=State.QUEUED, written_bytes=0, **FREE)
            else:
                fail(claim=claim, error=GIVEN_UP)
            left.append(claim)
    return left


def promised_bytes(*, before: TenantExport) -> int:
    """Return what exports that were begun before this one still have to write."""
    begun = TenantExport.objects.filter(state=State.RUNNING, started_at__lt=before.started_at)
    left = Greatest(F("expected_bytes") - F("written_bytes"), 0)
    return begun.exclude(id=before.id).aggregate(total=Sum(left))["total"] or 0


def waiting() -> int:
    """Count the exports that wait for a worker."""
    return TenantExport.objects.filter(state=State.QUEUED, tenant__status=Tenant.Status.ACTIVE).count()


@transaction.atomic
def expire(now: datetime | None = None) -> list[str]:
    """End the exports whose time is over; return the URIs of files that nobody may have any more."""
    over = TenantExport.objects.select_for_update(of=("self",), skip_locked=True).filter(
        state=State.DONE, expires_at__lte=now or timezone.now()
    )
    uris = []
    for row in over:
        uris.append(row.uri)
        row.state, row.uri = State.EXPIRED, ""
        row.save(update_fields=["state", "uri"])
        audit.record("export.expire", row, after={"sha256": row.sha256})
    return uris


def in_use(*, tenant_id: uuid.UUID) -> set[str]:
    """Return the beginnings of the names, `export-token`, of the files that are written or may be had."""
    rows = TenantExport.objects.filter(tenant_id=tenant_id)
    names = {f"{row.id}-{row.lease_token}" for row in rows.filter(state__in=OPEN_STATES)}
    return names | {uri.rpartition("/")[2].removesuffix(".zip") for uri in rows.values_list("uri", flat=True) if uri}


GIVEN_UP: Final = DomainError(
    "export_lost",
    f"Its worker died {MOST_ATTEMPTS} times while it was written.",
    "Ask for it again with less in it; tell the platform's administrators if it happens once more.",
)


def _held(claim: Claim) -> QuerySet[TenantExport]:
    return TenantExport.objects.filter(id=claim.export.id, state=State.RUNNING, lease_token=claim.token)


def _ended(export_id: uuid.UUID) -> None:
    row = TenantExport.objects.get(id=export_id)
    told = {"state": row.state, "bytes": row.bytes, "sha256": row.sha256, "error": row.error}
    audit.record(f"export.{'finish' if row.state == State.DONE else 'fail'}", row, after=told)
    outbox.tell("export.finished", tenant_id=row.tenant_id, data={"export": {"id": row.id, **told}})
