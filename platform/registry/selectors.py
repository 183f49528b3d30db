"""Reads of models, versions, lineages, snapshots and label sets."""

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Min, QuerySet

from exfm_core.spec import FoundationSpec, VerticalSpec
from registry import errors
from registry.models import (
    AliasMove,
    Arm,
    Binding,
    Checkpoint,
    FoundationModel,
    FoundationVersion,
    LabelSet,
    Lineage,
    ModelVersion,
    Snapshot,
    TenantSlot,
    VerticalModel,
)
from tenancy.presence import in_scope
from tenancy.scope import current_scope


def vertical_models() -> QuerySet[VerticalModel]:
    """Return the vertical models in scope with their streams."""
    return VerticalModel.objects.select_related("stream")


def vertical_model(*, model_id: uuid.UUID) -> VerticalModel:
    """Return one vertical model in scope; NotFound if there is none."""
    found = vertical_models().filter(id=model_id).first()
    if found is None:
        raise errors.model_not_found()
    return found


def check_model(*, model_id: uuid.UUID) -> None:
    """Raise NotFound if the scope has no such vertical model."""
    if not in_scope("registry_verticalmodel", id=model_id):
        raise errors.model_not_found()


def current_versions(*, model_ids: list[uuid.UUID]) -> dict[uuid.UUID, ModelVersion]:
    """Return the newest version of each model; its spec, which lists do not show, is read when it is asked for."""
    rows = ModelVersion.objects.filter(model_id__in=model_ids).order_by("model_id", "-number").distinct("model_id")
    return {row.model_id: row for row in rows.defer("spec")}


_tasks: dict[str, str] = {}
"""Primary tasks of versions seen: a version never changes."""

_TASKS_KEPT = 65_536


def tasks_of(*, version_ids: Iterable[str]) -> dict[str, str]:
    """Return the primary task of each version by its id, as text."""
    found = {version_id: _tasks.get(version_id, "") for version_id in version_ids}
    unknown = [version_id for version_id, task in found.items() if not task]
    if unknown:
        specs = ModelVersion.objects.filter(id__in=unknown).values_list("id", "spec")
        read = {str(version_id): VerticalSpec.from_json(spec).model.task for version_id, spec in specs}
        if len(_tasks) + len(read) > _TASKS_KEPT:
            _tasks.clear()
        _tasks.update(read)
        found |= read
    return found


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
    return active_lineages_of(model_ids=[model_id]).get(model_id, {})


def active_lineages_of(*, model_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, dict[str, Lineage]]:
    """Return `active_lineages` of each model that has any."""
    rows = (
        Lineage.objects.select_related("model_version", "head")
        .filter(model_version__model_id__in=model_ids, state=Lineage.State.ACTIVE)
        .order_by("model_version__number")
    )
    found: dict[uuid.UUID, dict[str, Lineage]] = {}
    for row in rows:
        assert row.model_version is not None  # noqa: S101 - it is a vertical model's
        found.setdefault(row.model_version.model_id, {})[row.arm] = row
    return found


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


def has_snapshot(*, snapshot_id: uuid.UUID) -> bool:
    """Tell whether there is such a snapshot of a foundation model."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM registry_snapshot WHERE id = %s", [snapshot_id])
        return cursor.fetchone() is not None


def snapshots(*, foundation_model_id: uuid.UUID) -> QuerySet[Snapshot]:
    """Return all snapshots of a foundation model, oldest watermark first."""
    return Snapshot.objects.filter(foundation_version__model_id=foundation_model_id).order_by("watermark", "id")


def _usable(foundation_model_id: uuid.UUID) -> QuerySet[Snapshot]:
    """Once-published snapshots, those taken back apart: retired ones may label what is late."""
    rows = snapshots(foundation_model_id=foundation_model_id)
    return rows.filter(published_at__isnull=False, withdrawn_at__isnull=True)


def newest_published(*, foundation_model_id: uuid.UUID, at_or_before: datetime) -> Snapshot | None:
    """Return the once-published snapshot with the newest watermark that is not after `at_or_before` (no leak).

    Retired snapshots count: a late stream is labelled by what was published for its time. Withdrawn ones do not.
    """
    rows = _usable(foundation_model_id)
    return rows.filter(watermark__lte=at_or_before).order_by("watermark", "published_at").last()


def oldest_published(*, foundation_model_id: uuid.UUID) -> datetime | None:
    """Return the oldest watermark among them: `newest_published` finds a snapshot for every moment from it on."""
    oldest: datetime | None = _usable(foundation_model_id).aggregate(oldest=Min("watermark"))["oldest"]
    return oldest


def snapshot_before(*, current: Snapshot) -> Snapshot | None:
    """Return what would label if `current`, a published snapshot, were withdrawn; None where nothing is left."""
    earlier = snapshots(foundation_model_id=current.foundation_version.model_id).filter(
        state=Snapshot.State.RETIRED, withdrawn_at__isnull=True, watermark__lte=current.watermark
    )
    return earlier.order_by("watermark", "published_at").last()


def taught(*, foundation_model_id: uuid.UUID) -> QuerySet[Binding]:
    """Return the bindings in force of a foundation model with tenants, models and streams, in their order."""
    rows = Binding.objects.filter(foundation_model_id=foundation_model_id, ended_at=None)
    return rows.select_related("tenant", "model__stream").order_by("tenant__slug", "model__name")


def slot_of(*, foundation_model_id: uuid.UUID, tenant_id: uuid.UUID) -> int | None:
    """Return the tenant's slot in a foundation model; None where it has none (it is then the unseen tenant, slot 0)."""
    row = TenantSlot.objects.filter(foundation_model_id=foundation_model_id, tenant_id=tenant_id).first()
    return row.slot if row else None


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
    """Return the checkpoints of the model's lineages, with lineage and version (its spec stays behind)."""
    rows = Checkpoint.objects.filter(lineage__model_version__model_id=model_id)
    return rows.select_related("lineage__model_version").defer("lineage__model_version__spec")


def checkpoint_of(*, model_id: uuid.UUID, checkpoint_id: uuid.UUID) -> Checkpoint:
    """Return one checkpoint of the model; NotFound if it is not the model's."""
    found = checkpoints_of(model_id=model_id).filter(id=checkpoint_id).first()
    if found is None:
        raise errors.checkpoint_not_found()
    return found


def alias_moves(*, model_id: uuid.UUID) -> QuerySet[AliasMove]:
    """Return every move of the model's aliases with its checkpoint, newest first."""
    rows = AliasMove.objects.filter(model_id=model_id).select_related("checkpoint__lineage__model_version")
    return rows.defer("checkpoint__lineage__model_version__spec").order_by("-id")


_ALIASES = """
    SELECT m.*, c.id AS checkpoint__id, c.lineage_id AS checkpoint__lineage_id, c.position AS checkpoint__position,
           c.sha256 AS checkpoint__sha256, c.bytes AS checkpoint__bytes, c.created_at AS checkpoint__created_at,
           l.arm AS checkpoint__lineage__arm, v.number AS checkpoint__lineage__model_version__number
    FROM (
        SELECT DISTINCT ON (alias) * FROM registry_aliasmove
        WHERE model_id = %s AND (%s::uuid IS NULL OR tenant_id = %s) ORDER BY alias, number DESC
    ) m
    JOIN registry_checkpoint c ON c.id = m.checkpoint_id
    JOIN registry_lineage l ON l.id = c.lineage_id
    JOIN registry_modelversion v ON v.id = l.model_version_id
    ORDER BY m.alias
"""


def aliases(*, model_id: uuid.UUID) -> dict[str, dict[str, Any]]:
    """Return the move in force of each alias that points somewhere, by alias: the columns of `alias_moves`."""
    tenant_id = current_scope().tenant_id
    with connection.cursor() as cursor:
        cursor.execute(_ALIASES, [model_id, tenant_id, tenant_id])
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return {row["alias"]: row for row in rows}
