"""What lists of models can be narrowed down by."""

from collections.abc import Mapping
from typing import ClassVar

import django_filters

from api.base.filtering import ListFilter, OneOfFilter
from registry.models import VerticalModel


class ModelFilter(ListFilter):
    """Vertical models by name, stream and status."""

    searched: ClassVar[tuple[str, ...]] = ("name", "stream__name")
    orders: ClassVar[Mapping[str, str]] = {"name": "name"}

    name = django_filters.CharFilter()
    stream = django_filters.UUIDFilter("stream_id")
    status = OneOfFilter(choices=VerticalModel.Status.choices)
