"""Django's admin for operators: runs and attempts to read, workers to see. Nothing here is edited by hand."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from runs.models import Attempt, Run, WorkClaim, WorkerNode
from tenancy.scope import platform_scope


class ReadOnly(admin.ModelAdmin):
    """Shows rows; supervisors and the dispatcher alone write them."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """All tenants' rows: the admin site runs with the platform's role."""
        with platform_scope("admin site"):
            return super().get_queryset(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes."""
        return False


@admin.register(Run)
class RunAdmin(ReadOnly):
    """Runs."""

    list_display = ("id", "tenant", "kind", "model", "foundation_model", "state", "reason_code", "created_at")
    list_filter = ("state", "kind")
    list_select_related = ("tenant", "model", "foundation_model")


@admin.register(Attempt)
class AttemptAdmin(ReadOnly):
    """Attempts."""

    list_display = ("run", "number", "state", "fault", "code", "worker", "started_at", "finished_at")
    list_filter = ("state", "fault")


@admin.register(WorkClaim)
class WorkClaimAdmin(ReadOnly):
    """Claims with what was decided."""

    list_display = ("id", "kind", "run", "partition", "label_set", "label_reason", "gate", "committed_at")
    list_filter = ("kind", "gate", "label_reason")


@admin.register(WorkerNode)
class WorkerNodeAdmin(ReadOnly):
    """Workers."""

    list_display = ("name", "flavor", "slots", "seen_at")
