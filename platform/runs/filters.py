"""What lists of runs can be narrowed down by."""

from typing import ClassVar

import django_filters
from django.db.models import QuerySet

from api.base.filtering import ListFilter, OneOfFilter
from runs.models import OPEN_STATES, Kind, Run, State

OPEN = "open"


class RunFilter(ListFilter):
    """Runs by model, kind, state and time; `state=open` stands for all states before the end."""

    searched: ClassVar[tuple[str, ...]] = ("model__name",)

    model = django_filters.UUIDFilter("model_id")
    kind = OneOfFilter(choices=Kind.choices)
    state = OneOfFilter(
        choices=[*State.choices, (OPEN, "before its end")], method="in_state", help_text="a state, or `open`"
    )
    created_from = django_filters.IsoDateTimeFilter("created_at", "gte", help_text="queued at or after")
    created_before = django_filters.IsoDateTimeFilter("created_at", "lt", help_text="queued before")

    def in_state(self, rows: QuerySet[Run], name: str, states: list[str]) -> QuerySet[Run]:
        """Narrow down to any of the states."""
        wanted = {state for asked in states for state in (OPEN_STATES if asked == OPEN else (asked,))}
        return rows.filter(state__in=wanted) if wanted else rows


class AdminRunFilter(RunFilter):
    """Runs of all tenants."""

    searched: ClassVar[tuple[str, ...]] = ("model__name", "tenant__slug")

    foundation_model = django_filters.UUIDFilter("foundation_model_id")
    tenant = django_filters.CharFilter("tenant__slug")
