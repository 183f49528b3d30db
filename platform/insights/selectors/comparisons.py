"""Which two lineages are compared: control and treatment of a model's newest version."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from registry import selectors as registry
from registry.models import Arm, Lineage


@dataclass(frozen=True)
class Comparison:
    """A model's lineages by arm. Without a treatment (no supervision) there is no lift; without a control neither."""

    model_id: uuid.UUID
    control: uuid.UUID | None
    treatment: uuid.UUID | None
    lineages: tuple[Lineage, ...] = field(default=(), compare=False)

    @property
    def lead(self) -> uuid.UUID | None:
        """The lineage that claims carry: treatment where it exists, else control."""
        return self.treatment or self.control


def comparisons(*, model_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Comparison]:
    """Return each model's comparison; abandoned lineages are left out, the newest lineage of an arm counts."""
    found: dict[uuid.UUID, list[Lineage]] = {model_id: [] for model_id in model_ids}
    for lineage in registry.lineages_of(model_ids=list(model_ids)):
        assert lineage.model_version is not None  # noqa: S101 - a constraint of the table
        found[lineage.model_version.model_id].append(lineage)
    return {model_id: _comparison(model_id, lineages) for model_id, lineages in found.items()}


def _comparison(model_id: uuid.UUID, lineages: list[Lineage]) -> Comparison:
    newest = lineages[-1].model_version_id if lineages else None
    kept = [row for row in lineages if row.model_version_id == newest and row.state != Lineage.State.ABANDONED]
    arms = {row.arm: row.id for row in kept}
    return Comparison(model_id, arms.get(Arm.CONTROL), arms.get(Arm.TREATMENT), tuple(kept))
