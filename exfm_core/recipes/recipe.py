"""A recipe: complete specs of tenants and their foundation model, and the data that plays through them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from exfm_core.errors import SpecError
from exfm_core.spec import FoundationSpec, StreamSchema, VerticalSpec

Partition = tuple[datetime, datetime, pa.Table]
"""Start, end (not in it), and the rows in time order."""


@dataclass(frozen=True, slots=True)
class TenantRecipe:
    """One tenant with one stream and one vertical model; ``others``: more models of it, by name, for experiments."""

    slug: str
    name: str
    domain: str
    stream_name: str
    model_name: str
    schema: StreamSchema
    vertical: VerticalSpec
    others: tuple[tuple[str, VerticalSpec], ...] = ()

    def __post_init__(self) -> None:
        for spec in self.models.values():
            spec.model.resolve(self.schema)

    @property
    def models(self) -> dict[str, VerticalSpec]:
        """Return all vertical models by name, the main one first."""
        return {self.model_name: self.vertical, **dict(self.others)}


@dataclass(frozen=True, slots=True)
class Recipe:
    """A complete main job.

    ``warm_up`` periods train the foundation model alone: a cold teacher hurts, so vertical models start at ``launch``,
    the start of period number ``warm_up``. Ends of periods are whole multiples of ``period_seconds``.
    """

    name: str
    title: str
    tenants: tuple[TenantRecipe, ...]
    foundation_name: str
    foundation: FoundationSpec
    period_seconds: int
    periods: int
    warm_up: int
    launch: datetime
    source: Callable[[int], Mapping[str, Partition]]

    def __post_init__(self) -> None:
        for tenant in self.tenants:
            self.foundation.model.bind(tenant.schema)
        if not 0 < self.warm_up < self.periods:
            raise SpecError("recipe.periods", f"Recipe {self.name!r} has no period after its warm-up.", "Add periods.")

    def partitions(self, period: int) -> Mapping[str, Partition]:
        """Return the partition of every tenant, by slug, in period 0 … ``periods - 1``; all share one interval.

        A recipe of a sparse log leaves tenants without rows out: an empty partition is no partition.
        """
        if not 0 <= period < self.periods:
            raise SpecError(
                "recipe.period", f"Recipe {self.name!r} has no period {period}.", f"Use 0 to {self.periods - 1}."
            )
        return self.source(period)
