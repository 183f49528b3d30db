"""Which two lineages are compared: control and treatment of a model's newest version."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count

from registry.models import Arm, Lineage


@dataclass(frozen=True)
class Course:
    """One lineage: its arm, its state, and how many partitions it has consumed."""

    id: uuid.UUID
    version_id: uuid.UUID
    arm: str
    state: str
    created_at: datetime
    consumed: int


@dataclass(frozen=True)
class Comparison:
    """A model's lineages by arm. Without a treatment (no supervision) there is no lift; without a control neither.

    `stamp` counts what both arms have consumed. A commit adds a partition and its sums in one transaction and neither
    ever changes, so the stamp is the version of every figure that is computed from them.
    """

    model_id: uuid.UUID
    control: uuid.UUID | None
    treatment: uuid.UUID | None
    lineages: tuple[Course, ...] = field(default=(), compare=False)
    stamp: tuple[int, int] = field(default=(0, 0), compare=False)

    @property
    def lead(self) -> uuid.UUID | None:
        """The lineage that claims carry: treatment where it exists, else control."""
        return self.treatment or self.control


def comparisons(*, model_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Comparison]:
    """Return each model's comparison; abandoned lineages are left out, the newest lineage of an arm counts."""
    found: dict[uuid.UUID, list[Course]] = {model_id: [] for model_id in model_ids}
    lineages = Lineage.objects.filter(model_version__model_id__in=list(model_ids))
    rows = lineages.order_by("model_version__number", "created_at", "id").values_list(
        "model_version__model_id", "id", "model_version_id", "arm", "state", "created_at", Count("consumptions")
    )
    for model_id, *course in rows:
        found[model_id].append(Course(*course))
    return {model_id: _comparison(model_id, courses) for model_id, courses in found.items()}


def _comparison(model_id: uuid.UUID, courses: list[Course]) -> Comparison:
    newest = courses[-1].version_id if courses else None
    kept = [row for row in courses if row.version_id == newest and row.state != Lineage.State.ABANDONED]
    arms = {row.arm: row for row in kept}
    control, treatment = arms.get(Arm.CONTROL), arms.get(Arm.TREATMENT)
    return Comparison(
        model_id,
        control.id if control else None,
        treatment.id if treatment else None,
        tuple(kept),
        (control.consumed if control else 0, treatment.consumed if treatment else 0),
    )
