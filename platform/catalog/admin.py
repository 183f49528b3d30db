"""Streams and partitions in the operators' site, to look at."""

from django.contrib import admin

from catalog.models import Partition, Stream
from tenancy.operators import ReadOnlyAdmin


@admin.register(Stream)
class StreamAdmin(ReadOnlyAdmin):
    """Streams of all tenants."""

    list_display = ("name", "tenant", "feed_fm", "feed_shared", "label_deadline_seconds", "created_at")
    list_filter = ("feed_fm", "feed_shared")
    list_select_related = ("tenant",)
    search_fields = ("name", "tenant__slug")


@admin.register(Partition)
class PartitionAdmin(ReadOnlyAdmin):
    """Partitions of all tenants."""

    list_display = ("stream", "tenant", "start", "end", "state", "rows", "bytes")
    list_filter = ("state",)
    list_select_related = ("stream", "tenant")
    search_fields = ("stream__name", "tenant__slug", "sha256")
    date_hierarchy = None
