"""Reads of models, versions, lineages, snapshots and label sets."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Count, QuerySet

from exfm_core.spec import FoundationSpec, VerticalSpec
from registry import errors
from registry.models import (
    AliasMove,
    Arm,
    Binding,
    Checkpoint,
    FoundationModel,
    FoundationVersion,
    GateResult,
    LabelSet,
    Lineage,
    ModelVersion,
    Snapshot,
    TenantSlot,
    VerticalModel,
)


def vertical_models() -> QuerySet[VerticalModel]:
    """Return the vertical models in scope with their streams."""
    return VerticalModel.objects.select_related("stream")


def vertical_model(*, model_id: uuid.UUID) -> VerticalModel:
    """Return one vertical model in scope; NotFound if there is none."""
    found = vertical_models().filter(id=model_id).first()
    if found is None:
        raise errors.model_not_found()
    return found


def current_versions(*, model_ids: list[uuid.UUID]) -> dict[uuid.UUID, ModelVersion]:
    """Return the newest version of each model; its spec, which lists do not show, is read when it is asked for."""
    rows = ModelVersion.objects.filter(model_id__in=model_ids).order_by("model_id", "-number").distinct("model_id")
    return {row.model_id: row for row in rows.defer("spec")}


_tasks: dict[uuid.UUID, str] = {}
"""Primary task of every version seen: a version never changes."""


def tasks_of(*, versions: Iterable[ModelVersion]) -> dict[uuid.UUID, str]:
    """Return the primary task of each version by its id."""
    ids = [version.id for version in versions]
    unknown = [version_id for version_id in ids if version_id not in _tasks]
    if unknown:
        specs = ModelVersion.objects.filter(id__in=unknown).values_list("id", "spec")
        _tasks.update({version_id: VerticalSpec.from_json(spec).model.task for version_id, spec in specs})
    return {version_id: _tasks[version_id] for version_id in ids}


def spec_of(version: ModelVersion) -> VerticalSpec:
    """Return the version's spec."""
    return VerticalSpec.from_json(version.spec)


def open_binding(*, model_id: uuid.UUID) -> Binding | None:
    """Return the model's binding in force, with its foundation model; None where no FM teaches it."""
    return Binding.objects.select_related("foundation_model").filter(model_id=model_id, ended_at=None).first()


def open_bindings(*, model_ids: list[uuid.UUID]) -> dict[uuid.UUID, Binding]:
    """Return the bindings in force by model."""
    rows = Binding.objects.select_related("foundation_model").filter(model_id__in=model_ids, ended_at=None)
    return {row.model_id: row for row in rows}


def active_lineages(*, model_id: uuid.UUID) -> dict[str, Lineage]:
    """Return the model's lineages in training by arm, those of its newest version first."""
    rows = (
        Lineage.objects.select_related("model_version", "head")
        .filter(model_version__model_id=model_id, state=Lineage.State.ACTIVE)
        .order_by("model_version__number")
    )
    return {row.arm: row for row in rows}


def lineages_of(*, model_ids: list[uuid.UUID]) -> QuerySet[Lineage]:
    """Return every lineage of the models, with the number of partitions each has consumed; newest last."""
    return (
        Lineage.objects.select_related("model_version", "head")
        .filter(model_version__model_id__in=model_ids)
        .annotate(consumed=Count("consumptions"))
        .order_by("model_version__number", "created_at", "id")
    )


def foundation_model(*, foundation_model_id: uuid.UUID) -> FoundationModel:
    """Return one foundation model in use; NotFound if there is none."""
    found = FoundationModel.objects.filter(id=foundation_model_id, is_active=True).first()
    if found is None:
        raise errors.foundation_model_not_found()
    return found


def foundation_version(*, foundation_model_id: uuid.UUID) -> FoundationVersion:
    """Return the newest version of a foundation model."""
    return FoundationVersion.objects.filter(model_id=foundation_model_id).latest("number")


def foundation_spec_of(version: FoundationVersion) -> FoundationSpec:
    """Return the version's spec."""
    return FoundationSpec.from_json(version.spec)


def active_foundation_lineage(*, foundation_model_id: uuid.UUID) -> Lineage:
    """Return the foundation model's lineage in training."""
    return (
        Lineage.objects.select_related("foundation_version", "head")
        .filter(foundation_version__model_id=foundation_model_id, arm=Arm.FOUNDATION, state=Lineage.State.ACTIVE)
        .latest("created_at")
    )


def snapshots(*, foundation_model_id: uuid.UUID) -> QuerySet[Snapshot]:
    """Return all snapshots of a foundation model, oldest watermark first."""
    return Snapshot.objects.filter(foundation_version__model_id=foundation_model_id).order_by("watermark", "id")


def newest_published(*, foundation_model_id: uuid.UUID, at_or_before: datetime) -> Snapshot | None:
    """Return the once-published snapshot with the newest watermark that is not after `at_or_before` (no leak).

    Retired snapshots count: a late stream is labelled by what was published for its time. Withdrawn ones do not.
    """
    rows = snapshots(foundation_model_id=foundation_model_id).filter(
        published_at__isnull=False, withdrawn_at__isnull=True
    )
    return rows.filter(watermark__lte=at_or_before).order_by("watermark", "published_at").last()


def slot_of(*, foundation_model_id: uuid.UUID, tenant_id: uuid.UUID) -> int | None:
    """Return the tenant's slot in a foundation model; None where it has none (it is then the unseen tenant, slot 0)."""
    row = TenantSlot.objects.filter(foundation_model_id=foundation_model_id, tenant_id=tenant_id).first()
    return row.slot if row else None


def gate_results(*, snapshot_ids: list[uuid.UUID]) -> dict[uuid.UUID, list[GateResult]]:
    """Return the gate's figures in scope by snapshot: a tenant sees its own, the platform all."""
    found: dict[uuid.UUID, list[GateResult]] = {}
    rows = GateResult.objects.filter(snapshot_id__in=snapshot_ids).select_related("tenant")
    for row in rows.order_by("tenant_id", "task"):
        found.setdefault(row.snapshot_id, []).append(row)
    return found


def label_sets(*, partition_ids: list[uuid.UUID]) -> QuerySet[LabelSet]:
    """Return the committed label sets of the partitions, with their snapshots."""
    return LabelSet.objects.filter(partition_id__in=partition_ids).select_related("snapshot")


def versions_of(*, model_id: uuid.UUID) -> QuerySet[ModelVersion]:
    """Return the model's versions."""
    return ModelVersion.objects.filter(model_id=model_id)


def bindings_of(*, model_id: uuid.UUID) -> QuerySet[Binding]:
    """Return every binding the model has had, with its foundation model."""
    return Binding.objects.filter(model_id=model_id).select_related("foundation_model")


def checkpoints_of(*, model_id: uuid.UUID) -> QuerySet[Checkpoint]:
    """Return the checkpoints of the model's lineages, with lineage and version."""
    return Checkpoint.objects.filter(lineage__model_version__model_id=model_id).select_related("lineage__model_version")


def checkpoint_of(*, model_id: uuid.UUID, checkpoint_id: uuid.UUID) -> Checkpoint:
    """Return one checkpoint of the model; NotFound if it is not the model's."""
    found = checkpoints_of(model_id=model_id).filter(id=checkpoint_id).first()
    if found is None:
        raise errors.checkpoint_not_found()
    return found


def alias_moves(*, model_id: uuid.UUID) -> QuerySet[AliasMove]:
    """Return every move of the model's aliases with its checkpoint, newest first."""
    rows = AliasMove.objects.filter(model_id=model_id).select_related("checkpoint__lineage__model_version")
    return rows.order_by("-id")


def aliases(*, model_id: uuid.UUID) -> dict[str, AliasMove]:
    """Return the move in force of each alias that points somewhere."""
    rows = alias_moves(model_id=model_id).order_by("alias", "-number").distinct("alias")
    return {row.alias: row for row in rows if row.checkpoint_id is not None}
