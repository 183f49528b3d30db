"""Managers that fail closed: without a declared scope there is no queryset."""

from typing import Any, TypeVar

from django.db import models

from tenancy.scope import current_scope

M = TypeVar("M", bound=models.Model)


class TenantManager(models.Manager[M]):
    """Filters by the tenant in scope; raises `TenantScopeMissing` where there is none."""

    def get_queryset(self) -> models.QuerySet[M]:
        scope = current_scope()
        rows = super().get_queryset()
        return rows if scope.tenant_id is None else rows.filter(tenant_id=scope.tenant_id)

    def bulk_create(self, objs: Any, *args: Any, **kwargs: Any) -> list[M]:
        scope = current_scope()
        rows = list(objs)
        if scope.tenant_id is not None and any(row.tenant_id != scope.tenant_id for row in rows):
            raise ValueError("bulk_create: a row belongs to another tenant than the scope's")
        return super().bulk_create(rows, *args, **kwargs)


class PlatformManager(models.Manager[M]):
    """Rows of the platform itself; PostgreSQL decides what a tenant's process may read of them."""
