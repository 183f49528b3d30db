"""A tenant's end."""

from django.db import models
from django.db.models import Q

from tenancy.models.base import TenantOwned
from tenancy.models.people import User


class TenantDeletion(TenantOwned):
    """An owner's wish that everything be erased; it can be taken back until `erase_after`."""

    requested_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=500, blank=True)
    erase_after = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)
    erased = models.JSONField(default=dict, blank=True, help_text="what was erased: table or kind of file -> number")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"],
                condition=Q(cancelled_at__isnull=True, erased_at__isnull=True),
                name="tenant_deletion_one_open",
            )
        ]

    def __str__(self) -> str:
        return f"deletion of {self.tenant_id}"
