"""What a tenant takes along."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from tenancy.models.base import TenantOwned
from tenancy.models.people import User


class TenantExport(TenantOwned):
    """A zip of what a tenant owns, asked for by an owner, written by a worker under a lease, removed after some days.

    Nothing but the row says that the file may be had: `uri` names a file that is whole, or is empty.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        EXPIRED = "expired"

    class Part(models.TextChoices):
        ROWS = "rows"
        PARTITIONS = "partitions"
        MODELS = "models"

    requested_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    include = ArrayField(models.CharField(max_length=10, choices=Part.choices))
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    expected_bytes = models.BigIntegerField(default=0, help_text="of the files it was asked to hold")
    written_bytes = models.BigIntegerField(default=0, help_text="so far")
    uri = models.CharField(max_length=400, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    bytes = models.BigIntegerField(null=True, blank=True)
    files = models.PositiveIntegerField(null=True, blank=True)
    rows = models.BigIntegerField(null=True, blank=True)
    missing = models.PositiveIntegerField(
        default=0, help_text="files that were gone or damaged; the manifest says which"
    )
    error = models.CharField(max_length=400, blank=True)
    mend = models.CharField(max_length=400, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"], condition=Q(state__in=["queued", "running"]), name="tenant_export_one_open"
            ),
            models.CheckConstraint(
                condition=Q(state="done") & ~Q(uri="") | ~Q(state="done") & Q(uri=""),
                name="tenant_export_done_has_file",
            ),
        ]

    def __str__(self) -> str:
        return f"export of {self.tenant_id}"
