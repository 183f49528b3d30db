"""Writes `ModelFigures`: a commit within its transaction, and the periodic task what commits could not.

A commit adds its one partition to what the commit before has left, whatever the length of the history, so a row exists
if and only if its commit does. It leaves the row alone where that would not be right: there is none for the moment
before (an installation from before this table), or the sums cannot be used. `catch_up` computes such rows anew from
all sums. Nothing waits for it, since readers know a stale row by its source and compute for themselves.
"""

import time
import uuid
from collections.abc import Mapping
from typing import Final

import structlog

from exfm_core.errors import DataError
from insights.models import ModelFigures
from insights.selectors.comparisons import Comparison, comparisons
from insights.selectors.figures import Figures
from insights.selectors.merging import Merged, merged
from registry.models import VerticalModel
from tenancy.models import Tenant

log = structlog.get_logger("exfm.insights")

BATCH: Final = 50
"""Models whose whole history `catch_up` adds up at a time."""


class FigureKeeping:
    """Implements `runs.figures.Keeping`."""

    def committed(
        self, *, model_id: uuid.UUID, partition_id: uuid.UUID, heads: Mapping[uuid.UUID, uuid.UUID | None]
    ) -> None:
        """Add the partition to the model's row."""
        now = comparisons(model_ids=[model_id])[model_id]
        if not heads.keys() <= set(now.arms.values()):
            return
        before = now.before(heads)
        kept = Merged()
        if any(before.heads):
            row = ModelFigures.objects.filter(model_id=model_id, source=before.source).first()
            if row is None:
                return
            kept = Merged.from_json(row.merged)
        try:
            _keep({now: kept + merged(comparisons=[now], partition_id=partition_id)[model_id]})
        except DataError as error:
            log.warning("figures_not_kept", model=str(model_id), code=error.code, message=error.message)


def catch_up(*, for_seconds: float = 30.0) -> int:
    """Compute the rows that are missing or stale, for as long as that; the next call goes on. Returns how many.

    A commit that comes between makes the row stale at once: the next call computes it again.
    """
    until, made = time.monotonic() + for_seconds, 0
    models = VerticalModel.objects.exclude(tenant__status=Tenant.Status.ERASED).order_by("id")
    ids = list(models.values_list("id", flat=True))
    for place in range(0, len(ids), BATCH):
        behind = _behind(ids[place : place + BATCH])
        if behind:
            found = _merged(behind)
            still = comparisons(model_ids=[held.model_id for held in found])
            made += _keep({held: sums for held, sums in found.items() if still[held.model_id].source == held.source})
        if time.monotonic() > until:
            break
    return made


def _behind(model_ids: list[uuid.UUID]) -> list[Comparison]:
    kept = dict(ModelFigures.objects.filter(model_id__in=model_ids).values_list("model_id", "source"))
    compared = comparisons(model_ids=model_ids).values()
    return [held for held in compared if any(held.heads) and kept.get(held.model_id) != held.source]


def _merged(behind: list[Comparison]) -> dict[Comparison, Merged]:
    """Return what can be merged; one model's unusable sums keep no other from its figures."""
    try:
        found = merged(comparisons=behind)
    except DataError as error:
        if len(behind) == 1:
            log.warning("figures_not_kept", model=str(behind[0].model_id), code=error.code, message=error.message)
            return {}
        return {held: sums for one in behind for held, sums in _merged([one]).items()}
    return {held: found[held.model_id] for held in behind}


def _keep(found: Mapping[Comparison, Merged]) -> int:
    tenants = dict(
        VerticalModel.objects.filter(id__in=[held.model_id for held in found]).values_list("id", "tenant_id")
    )
    rows = [
        ModelFigures(
            tenant_id=tenants[held.model_id],
            model_id=held.model_id,
            source=held.source,
            figures=Figures.of(sums).to_json(),
            merged=sums.to_json(),
        )
        for held, sums in found.items()
    ]
    ModelFigures.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["model"],
        update_fields=["source", "figures", "merged", "updated_at"],
    )
    return len(rows)
