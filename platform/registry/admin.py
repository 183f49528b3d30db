"""Models, snapshots and label sets in the operators' site, to look at."""

from django.contrib import admin

from registry.models import Binding, FoundationModel, FoundationVersion, LabelSet, Snapshot, VerticalModel
from tenancy.operators import ReadOnlyAdmin


@admin.register(FoundationModel)
class FoundationModelAdmin(ReadOnlyAdmin):
    """Foundation models."""

    list_display = ("name", "period_seconds", "published", "is_active", "created_at")


@admin.register(FoundationVersion)
class FoundationVersionAdmin(ReadOnlyAdmin):
    """Immutable specs of foundation models."""

    list_display = ("model", "number", "sha256", "created_at")
    list_select_related = ("model",)


@admin.register(Snapshot)
class SnapshotAdmin(ReadOnlyAdmin):
    """Snapshots with the gate's decision."""

    list_display = ("id", "foundation_version", "watermark", "state", "published_at")
    list_filter = ("state",)
    ordering = ("-watermark",)


@admin.register(VerticalModel)
class VerticalModelAdmin(ReadOnlyAdmin):
    """Vertical models of all tenants."""

    list_display = ("name", "tenant", "stream", "status", "created_at")
    list_filter = ("status",)
    list_select_related = ("tenant", "stream")
    search_fields = ("name", "tenant__slug")


@admin.register(Binding)
class BindingAdmin(ReadOnlyAdmin):
    """Which foundation model teaches which model."""

    list_display = ("model", "tenant", "foundation_model", "number", "created_at", "ended_at")
    list_select_related = ("model", "tenant", "foundation_model")


@admin.register(LabelSet)
class LabelSetAdmin(ReadOnlyAdmin):
    """Committed label sets."""

    list_display = ("partition", "tenant", "snapshot", "watermark", "partition_start", "rows")
    list_select_related = ("partition", "tenant", "snapshot")
