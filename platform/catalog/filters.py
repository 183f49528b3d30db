"""What lists of streams and partitions can be narrowed down by."""

from collections.abc import Mapping
from typing import ClassVar

import django_filters

from api.base.filtering import ListFilter, OneOfFilter
from catalog.models import Partition


class StreamFilter(ListFilter):
    """Streams by name and consents."""

    searched: ClassVar[tuple[str, ...]] = ("name",)
    orders: ClassVar[Mapping[str, str]] = {"name": "name"}

    name = django_filters.CharFilter()
    feed_fm = django_filters.BooleanFilter()
    feed_shared = django_filters.BooleanFilter()


class PartitionFilter(ListFilter):
    """Partitions by state and interval, in event time."""

    state = OneOfFilter(choices=Partition.State.choices)
    start_from = django_filters.IsoDateTimeFilter("start", "gte", help_text="start at or after")
    start_before = django_filters.IsoDateTimeFilter("start", "lt", help_text="start before")
    sha256 = django_filters.CharFilter()
