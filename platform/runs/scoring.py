"""What the data augmentation service scores next: sealed partitions that a student is about to need, oldest first."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from catalog.models import Partition
from registry.models import Arm, Binding, FoundationModel, LabelSet, Snapshot, VerticalModel
from registry.selectors import active_lineages_of, newest_published, snapshots
from runs.models import Kind, WorkClaim
from runs.periods import frontier, task_kinds
from runs.progression import ahead, places
from runs.supervision import deadline, heads_of


@dataclass(frozen=True)
class Scoring:
    """One partition and the newest once-published snapshot that is old enough for it."""

    partition: Partition
    snapshot: Snapshot


def next_scoring(foundation_model: FoundationModel, now: datetime | None = None) -> Scoring | None:
    """Return the earliest partition that can and should be scored now, or None.

    While the foundation model still has data ahead that ends before the partition starts, a fresher snapshot may come:
    the partition waits for it, but not beyond half of its stream's label deadline.
    """
    moment = now or timezone.now()
    oldest = snapshots(foundation_model_id=foundation_model.id).filter(published_at__isnull=False).first()
    if oldest is None:
        return None
    pending = frontier(foundation_model)
    for partition in sorted(wanted(foundation_model), key=lambda p: (p.start, p.id)):
        if partition.start < oldest.watermark:
            continue
        half = deadline(partition, partition.stream.label_deadline_seconds) - timedelta(
            seconds=partition.stream.label_deadline_seconds / 2
        )
        if pending is not None and pending <= partition.start and moment < half:
            continue
        snapshot = newest_published(foundation_model_id=foundation_model.id, at_or_before=partition.start)
        if snapshot is not None:
            return Scoring(partition, snapshot)
    return None


def wanted(foundation_model: FoundationModel) -> list[Partition]:
    """Partitions that some active bound model has neither consumed nor claimed, without a label set of this FM."""
    heads = heads_of(foundation_model)
    bindings = Binding.objects.filter(
        foundation_model=foundation_model, ended_at__isnull=True, model__status=VerticalModel.Status.ACTIVE
    ).select_related("model__stream")
    models = {binding.model_id: binding.model for binding in bindings if task_kinds(binding.model.stream) & heads}
    arms = active_lineages_of(model_ids=list(models))
    students = {model_id: held[Arm.TREATMENT] for model_id, held in arms.items() if Arm.TREATMENT in held}
    streams = {model_id: (models[model_id].stream_id, models[model_id].train_from) for model_id in students}
    claims = WorkClaim.objects.filter(
        kind=Kind.VM_TRAIN, lineage__in=[lineage.id for lineage in students.values()], partition__isnull=False
    )
    rest = ahead(places(students, streams))
    ids = {partition.id for each in rest.values() for partition in each}
    claimed = set(claims.filter(partition_id__in=ids).values_list("lineage_id", "partition_id"))
    wanted: dict[str, Partition] = {}
    for model_id, partitions in rest.items():
        for partition in partitions:
            if (students[model_id].id, partition.id) not in claimed:
                partition.stream = models[model_id].stream
                wanted[str(partition.id)] = partition
    labelled = LabelSet.objects.filter(
        partition_id__in=list(wanted), snapshot__foundation_version__model_id=foundation_model.id
    ).values_list("partition_id", flat=True)
    for partition_id in labelled:
        wanted.pop(str(partition_id), None)
    return list(wanted.values())
