"""What lists of costs can be narrowed down by."""

from collections.abc import Mapping
from typing import ClassVar

from registry.filters import ModelFilter


class ModelCostFilter(ModelFilter):
    """Models by name, stream and status, ordered by cost or name."""

    orders: ClassVar[Mapping[str, str]] = {"cost": "place", "name": "name"}
