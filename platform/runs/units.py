"""The next unit of work of a run, before anything is written: the planner looks for it, `claims` makes it a claim."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from catalog.models import Partition
from registry.models import Arm, FoundationModel, Lineage, ModelVersion, VerticalModel
from registry.selectors import active_lineages, active_lineages_of
from runs.models import Kind, Run, WorkClaim
from runs.periods import Period, next_period
from runs.progression import next_sealed, places
from runs.scoring import Scoring, next_scoring
from runs.supervision import Asked, Choice, Wait, choose


@dataclass(frozen=True)
class Lesson:
    """vm.train: one partition with its labels, for all active arms of the model."""

    lineages: dict[str, Lineage]
    version: ModelVersion
    partition: Partition
    labels: Choice

    @property
    def primary(self) -> Lineage:
        """The lineage that claims are keyed by: treatment where it exists, else control."""
        return primary_of(self.lineages)


Unit = Lesson | Scoring | Period


@dataclass(frozen=True)
class Nothing:
    """No unit now: a stable code and a sentence."""

    code: str
    message: str


NO_DATA = Nothing("no_partition", "All sealed partitions are trained; it waits for the next one.")
NO_SCORING = Nothing("no_partition", "Every partition that a snapshot may label is labelled.")
NO_PERIOD = Nothing("no_period", "No further period is closed yet.")
NO_LINEAGE = Nothing("no_lineage", "The model has no lineage in training.")
PAUSED = Nothing("model_paused", "The model is paused.")


def primary_of(lineages: dict[str, Lineage]) -> Lineage:
    """Return the treatment lineage where it exists, else the control."""
    return lineages[Arm.TREATMENT] if Arm.TREATMENT in lineages else lineages[Arm.CONTROL]


def arms_of(model_id: uuid.UUID | None) -> dict[str, Lineage]:
    """Return the active lineages of the newest version by arm: those trained together on one read of the data."""
    return _of_newest(active_lineages(model_id=model_id)) if model_id else {}


def _of_newest(lineages: dict[str, Lineage]) -> dict[str, Lineage]:
    if not lineages:
        return {}
    version_id = primary_of(lineages).model_version_id
    return {arm: lineage for arm, lineage in lineages.items() if lineage.model_version_id == version_id}


def next_unit(run: Run, now: datetime) -> Unit | Nothing:
    """Return the run's next unit of work, or why there is none."""
    if run.kind == Kind.VM_TRAIN:
        assert run.model is not None  # noqa: S101 - by kind
        return next_lessons([run.model], now)[run.model.id]
    assert run.foundation_model is not None  # noqa: S101 - by kind
    if run.kind == Kind.DAS_SCORE:
        return next_scoring(run.foundation_model, now) or NO_SCORING
    return next_period(run.foundation_model, now) or NO_PERIOD


def next_lessons(models: Sequence[VerticalModel], now: datetime) -> dict[uuid.UUID, Lesson | Nothing]:
    """Return each model's next sealed partition in time order with its labels, if it is claimable.

    The number of statements does not grow with the models. Their `stream` is loaded.
    """
    found: dict[uuid.UUID, Lesson | Nothing] = {
        model.id: NO_LINEAGE if model.status == VerticalModel.Status.ACTIVE else PAUSED for model in models
    }
    active = {model.id: model for model in models if found[model.id] is not PAUSED}
    arms = {key: _of_newest(held) for key, held in active_lineages_of(model_ids=list(active)).items()}
    streams = {key: (active[key].stream_id, active[key].train_from) for key in arms}
    ready = next_sealed(places({key: primary_of(held) for key, held in arms.items()}, streams))
    found |= dict.fromkeys(arms, NO_DATA)
    asked = [Asked(active[key], _version(arms[key]), partition) for key, partition in ready.items()]
    for key, labels in choose(asked=asked, now=now).items():
        if isinstance(labels, Wait):
            found[key] = Nothing(labels.code, labels.message)
        else:
            found[key] = Lesson(arms[key], _version(arms[key]), ready[key], labels)
    return found


def _version(lineages: dict[str, Lineage]) -> ModelVersion:
    version = primary_of(lineages).model_version
    assert version is not None  # noqa: S101 - a constraint of the table
    return version


def rows_of(unit: Unit) -> int:
    """Return how many rows the unit reads."""
    if isinstance(unit, Period):
        return sum(p.rows or 0 for p in unit.partitions)
    return unit.partition.rows or 0


def open_claim(run: Run) -> WorkClaim | None:
    """Return the uncommitted claim that the run must finish first, whichever run wrote it."""
    claims = _open_claims(run.kind)
    if run.kind == Kind.VM_TRAIN:
        claims = claims.filter(lineage__model_version__model_id=run.model_id)
    elif run.kind == Kind.FM_TRAIN:
        claims = claims.filter(lineage__foundation_version__model_id=run.foundation_model_id)
    else:
        claims = claims.filter(snapshot__foundation_version__model_id=run.foundation_model_id)
    return claims.select_related("lineage", "partition__stream", "label_set", "snapshot").order_by("created_at").first()


def models_with_open_claim() -> set[uuid.UUID | None]:
    """Return the vertical models that have an uncommitted claim to finish."""
    return set(_open_claims(Kind.VM_TRAIN).values_list("lineage__model_version__model_id", flat=True))


def _open_claims(kind: str) -> QuerySet[WorkClaim]:
    rows = WorkClaim.objects.filter(kind=kind, committed_at__isnull=True)
    return rows.exclude(lineage__state__in=[Lineage.State.ABANDONED, Lineage.State.ENDED])


def rows_of_claim(claim: WorkClaim) -> int:
    """Return how many rows a claim reads."""
    if claim.partition is not None:
        return claim.partition.rows or 0
    return sum(entry.partition.rows or 0 for entry in claim.manifest.select_related("partition"))


def foundation_models() -> list[FoundationModel]:
    """Return the foundation models in use."""
    return list(FoundationModel.objects.filter(is_active=True).order_by("name"))
