"""Exports as owners ask for them: one at a time, bounded in size, gone after some days."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from config import env
from config.celery import nudge
from tenancy import audit
from tenancy.errors import Conflict, DomainError, Invalid, NotFound
from tenancy.models import Tenant, TenantExport, User

OPEN_STATES: Final = (TenantExport.State.QUEUED, TenantExport.State.RUNNING)
TASK: Final = "tenancy.export"

MOST_KEPT: Final = 3
"""Finished files of one tenant that may lie there at a time."""

SPARE_BYTES: Final = 256 << 20
"""What must be free beside the files: the rows, whose size nobody knows before, and room for others."""


def most_bytes() -> int:
    """Return how large one export may be (EXFM_EXPORT_MAX_BYTES, 256 GiB)."""
    return env.number("EXFM_EXPORT_MAX_BYTES", 256 << 30)


def kept_for() -> timedelta:
    """Return how long a finished file can be had (EXFM_EXPORT_KEPT_DAYS, 7)."""
    return timedelta(days=env.number("EXFM_EXPORT_KEPT_DAYS", 7))


def exports() -> QuerySet[TenantExport]:
    """Return the exports of the tenant in scope with who asked."""
    return TenantExport.objects.select_related("requested_by").defer("requested_by__password")


def export(*, export_id: uuid.UUID) -> TenantExport:
    """Return one export of the tenant in scope."""
    found = exports().filter(id=export_id).first()
    if found is None:
        raise NotFound("export_not_found", "There is no such export.", "GET …/exports lists them.")
    return found


@transaction.atomic
def request(
    *,
    tenant: Tenant,
    user: User,
    include: Sequence[str],
    expected_bytes: int,
    quota_bytes: int,
    free_bytes: int | None,
) -> TenantExport:
    """Queue an export; rows are always in it.

    Args:
        include: `TenantExport.Part` values.
        expected_bytes: of the files that it will hold.
        quota_bytes: left of the tenant's storage quota. Who has no export may have one all the same.
        free_bytes: left in the storage; None where that has no bound.

    Raises Conflict while another is under way, where too many lie there and without room, Invalid above the limit.
    """
    held = exports().filter(state=TenantExport.State.DONE).count()
    if held >= MOST_KEPT:
        raise Conflict("exports_kept", f"{held} finished exports lie there.", "Delete one; it frees its room as well.")
    if held and expected_bytes > quota_bytes:
        raise Conflict(
            "export_over_quota",
            f"Another export needs {_gib(expected_bytes)}; the storage quota has {_gib(max(0, quota_bytes))} left.",
            "Delete the finished one; the first is never refused for the quota.",
        )
    check_room(expected_bytes=expected_bytes, free_bytes=free_bytes)
    row = TenantExport(
        tenant=tenant,
        requested_by=user,
        include=[part for part in TenantExport.Part.values if part == TenantExport.Part.ROWS or part in include],
        expected_bytes=expected_bytes,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(
            "export_open", "An export of this tenant is under way.", "Wait until it is done, or delete it."
        ) from error
    audit.record("export.request", row, after={"include": row.include, "expected_bytes": expected_bytes})
    transaction.on_commit(lambda: nudge(TASK))
    return row


def check_room(*, expected_bytes: int, free_bytes: int | None) -> None:
    """Refuse what would be larger than the limit, or would fill the storage."""
    if expected_bytes > most_bytes():
        raise too_large(expected_bytes)
    if free_bytes is not None and expected_bytes + SPARE_BYTES > free_bytes:
        raise Conflict(
            "export_no_room",
            f"The export needs {_gib(expected_bytes + SPARE_BYTES)}; the storage has {_gib(free_bytes)} left.",
            "Delete a finished export, leave the partitions out, or ask the platform's administrators for room.",
        )


def too_large(size: int) -> Invalid:
    """Return the refusal of an export above the limit."""
    return Invalid(
        "export_too_large",
        f"The export would hold {_gib(size)} or more; the limit is {_gib(most_bytes())}.",
        "Leave the partitions or the models out, or ask the platform's administrators to raise EXFM_EXPORT_MAX_BYTES.",
        field="include",
    )


def downloadable(row: TenantExport) -> TenantExport:
    """Return the row if its file can be had; Conflict before its end, 410 after its time."""
    if row.state == TenantExport.State.DONE and row.expires_at and row.expires_at > timezone.now():
        return row
    if row.state in OPEN_STATES:
        raise Conflict("export_not_done", "The export is still being written.", "Ask again when its state is done.")
    if row.state == TenantExport.State.FAILED:
        raise Conflict("export_failed", f"The export failed: {row.error}", row.mend or "Ask for another.")
    raise DomainError("export_expired", "The export's file was removed.", "Ask for another.", status=410)


@transaction.atomic
def remove(*, export_id: uuid.UUID) -> str:
    """Remove an export's row, which also stops the worker that writes it; return the URI of its file, "" without.

    The caller removes the file once this is durable; the sweep finds what was left.
    """
    row = export(export_id=export_id)
    audit.record("export.delete", row, before={"state": row.state, "bytes": row.bytes, "sha256": row.sha256})
    uri = row.uri
    row.delete()
    return uri


def record_download(row: TenantExport) -> None:
    """Write into the audit log that the file was taken."""
    audit.record("export.download", row, after={"bytes": row.bytes, "sha256": row.sha256})


def _gib(size: int) -> str:
    return f"{size / (1 << 30):.2f} GiB"
