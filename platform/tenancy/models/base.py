"""Bases of all rows: keys, times, and whose a row is."""

from django.db import models

from tenancy.ids import new_id
from tenancy.managers import TenantManager


class Identified(models.Model):
    """A row with a UUIDv7 key and its time of creation."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        """What a row is, and the end of its id, as the dashboard shows ids."""
        return f"{self._meta.verbose_name} {str(self.pk)[-8:]}"


class PlatformOwned(Identified):
    """A row of the platform itself; what tenants may read of it is granted table by table."""

    class Meta:
        abstract = True


class TenantOwned(Identified):
    """A row of exactly one tenant: scoped manager in Python, row-level security in PostgreSQL."""

    tenant = models.ForeignKey("tenancy.Tenant", on_delete=models.PROTECT, related_name="+")
    objects = TenantManager()

    class Meta:
        abstract = True


class TenantOrPlatformOwned(Identified):
    """A row of one tenant, or of the platform where `tenant` is null; a tenant never sees the latter."""

    tenant = models.ForeignKey("tenancy.Tenant", on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    objects = TenantManager()

    class Meta:
        abstract = True
