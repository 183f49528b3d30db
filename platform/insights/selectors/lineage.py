"""Lineage both ways: from a model down to rows and teachers, from a partition or a snapshot up to what came of it."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Min, Sum

from registry import selectors as registry
from registry.models import Checkpoint, LabelSet, Lineage, Snapshot
from runs.models import Consumption, WorkClaim


@dataclass(frozen=True)
class Course:
    """One lineage, what it read, and the snapshots whose labels taught it. Times are event times."""

    lineage: Lineage
    partitions: int
    rows: int
    start: datetime | None
    end: datetime | None
    snapshots: list[Snapshot]


def courses_of(*, model_id: uuid.UUID) -> list[Course]:
    """Return the model's lineages, newest version last. The number of queries does not grow with them."""
    lineages = list(registry.lineages_of(model_ids=[model_id]).select_related("model_version", "head"))
    ids = [lineage.id for lineage in lineages]
    read: dict[uuid.UUID, dict[str, Any]] = {
        row["lineage_id"]: dict(row)
        for row in Consumption.objects.filter(lineage_id__in=ids)
        .order_by()
        .values("lineage_id")
        .annotate(
            partitions=Count("id"),
            rows=Sum("partition__rows"),
            start=Min("partition__start"),
            end=Max("partition__end"),
        )
    }
    claims = WorkClaim.objects.filter(lineage_id__in=ids, label_set__isnull=False, committed_at__isnull=False)
    pairs = set(claims.values_list("lineage_id", "label_set__snapshot_id"))
    known = Snapshot.objects.in_bulk({snapshot_id for _, snapshot_id in pairs})
    courses = []
    for lineage in lineages:
        row: dict[str, Any] = read.get(lineage.id, {})
        taught = [known[snapshot_id] for owner, snapshot_id in pairs if owner == lineage.id]
        courses.append(
            Course(
                lineage,
                row.get("partitions", 0),
                row.get("rows") or 0,
                row.get("start"),
                row.get("end"),
                sorted(taught, key=lambda snapshot: snapshot.watermark),
            )
        )
    return courses


_LINK = ("arm", "model_version__number", "model_version__model__name")
"""What a link to a lineage's model shows; a version's spec is large."""


@dataclass(frozen=True)
class PartitionUses:
    """What was made of a partition: label sets, and the checkpoints that hold what lineages learned up to it."""

    label_sets: list[LabelSet]
    checkpoints: list[Checkpoint]


def uses_of_partition(*, partition_id: uuid.UUID) -> PartitionUses:
    """Return the partition's label sets and the models' checkpoints whose step consumed it."""
    consumed = Consumption.objects.filter(partition_id=partition_id, lineage__model_version__isnull=False)
    checkpoints = Checkpoint.objects.filter(id__in=consumed.values("checkpoint_id"))
    return PartitionUses(
        list(registry.label_sets(partition_ids=[partition_id]).order_by("created_at")),
        list(
            checkpoints.select_related("lineage__model_version__model")
            .only("id", *(f"lineage__{name}" for name in _LINK))
            .order_by("created_at")
        ),
    )


@dataclass(frozen=True)
class SnapshotUses:
    """What a snapshot labelled in scope, and which lineages its labels taught."""

    label_sets: list[LabelSet]
    lineages: list[Lineage]


def uses_of_snapshot(*, snapshot_id: uuid.UUID, most: int = 1000) -> SnapshotUses:
    """Return the newest `most` label sets of the snapshot in scope, and all lineages that trained with its labels."""
    sets = LabelSet.objects.filter(snapshot_id=snapshot_id)
    claims = WorkClaim.objects.filter(label_set__snapshot_id=snapshot_id, committed_at__isnull=False)
    lineages = Lineage.objects.filter(id__in=claims.values("lineage_id"), model_version__isnull=False)
    return SnapshotUses(
        list(sets.order_by("-partition_start")[:most]),
        list(lineages.select_related("model_version__model").only("id", *_LINK).order_by("created_at")),
    )
