"""Which teacher labels a partition is trained with: a committed label set, none, or wait (METHOD §3: 1, 3, 4)."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from catalog.models import Partition
from exfm_core.spec import StreamSchema, VerticalSpec
from registry.models import FoundationModel, LabelSet, ModelVersion, VerticalModel
from registry.selectors import oldest_published, open_bindings
from runs.periods import frontier


@dataclass(frozen=True)
class Choice:
    """A label set, or none and why (`reason`). Never changed once it is written into a claim."""

    label_set: LabelSet | None
    reason: str = ""


@dataclass(frozen=True)
class Wait:
    """Labels may still come: a stable code and a sentence for the run."""

    code: str
    message: str


def task_kind(model: VerticalModel, version: ModelVersion) -> str:
    """Return the FM head whose logits teach the model's task."""
    task = VerticalSpec.from_json(version.spec).model.task
    schema = StreamSchema.from_json(model.stream.schema)
    return str(next(t.kind for t in schema.tasks if t.name == task))


def deadline(partition: Partition, seconds: int) -> datetime:
    """Return the moment after which training waits for the partition's labels no longer."""
    return (partition.sealed_at or partition.created_at) + timedelta(seconds=seconds)


@dataclass(frozen=True)
class Asked:
    """A lesson whose labels are to be decided."""

    model: VerticalModel
    version: ModelVersion
    partition: Partition


def choose(*, asked: Sequence[Asked], now: datetime) -> dict[uuid.UUID, Choice | Wait]:
    """Decide the labels of sealed partitions, one for each model; what they depend on is read for all at once.

    The caller writes a choice into the claim before a row is read.
    """
    bindings = open_bindings(model_ids=[each.model.id for each in asked])
    teachers = {binding.foundation_model_id: _Teacher(binding.foundation_model) for binding in bindings.values()}
    sets = newest_label_sets(
        partition_ids=[each.partition.id for each in asked if each.model.id in bindings],
        foundation_model_ids=list(teachers),
    )
    found: dict[uuid.UUID, Choice | Wait] = {}
    for each in asked:
        if each.model.id not in bindings:
            found[each.model.id] = Choice(None, "unbound")
            continue
        teacher_id = bindings[each.model.id].foundation_model_id
        found[each.model.id] = _choose(each, teachers[teacher_id], sets.get((each.partition.id, teacher_id)), now)
    return found


class _Teacher:
    """What choices depend on of a foundation model, read when a choice comes to it."""

    def __init__(self, model: FoundationModel) -> None:
        self.model = model

    @cached_property
    def heads(self) -> set[str]:
        return heads_of(self.model)

    @cached_property
    def sight(self) -> tuple[datetime | None, datetime | None]:
        """The frontier, and the watermark from which on a published snapshot may label."""
        # Read before the snapshots: a period committed between the two reads is then seen published, never missed.
        pending = frontier(self.model)
        return pending, oldest_published(foundation_model_id=self.model.id)


def _choose(asked: Asked, teacher: _Teacher, label_set: LabelSet | None, now: datetime) -> Choice | Wait:
    partition = asked.partition
    if not VerticalSpec.from_json(asked.version.spec).supervision.uses_teacher:
        return Choice(None, "unsupervised")
    kind = task_kind(asked.model, asked.version)
    if kind not in teacher.heads:
        return Choice(None, "no_head")
    if label_set is not None:
        return Choice(label_set) if kind in label_set.tasks else Choice(None, "no_head")
    if now >= deadline(partition, asked.model.stream.label_deadline_seconds):
        return Choice(None, "deadline")
    pending, labels_from = teacher.sight
    named = f"the partition from {partition.start:%Y-%m-%d %H:%M}"
    if labels_from is not None and labels_from <= partition.start:
        return Wait("labels_scoring", f"It waits for the teacher's labels of {named}.")
    if pending is not None and pending <= partition.start:
        return Wait("labels_foundation", f"It waits for the foundation model's first snapshot for {named}.")
    return Choice(None, "no_snapshot")


def newest_label_sets(
    *, partition_ids: Collection[uuid.UUID], foundation_model_ids: Collection[uuid.UUID]
) -> dict[tuple[uuid.UUID, uuid.UUID], LabelSet]:
    """Return (partition, foundation model) -> the partition's committed label set of that FM's newest snapshot."""
    rows = LabelSet.objects.filter(
        partition_id__in=partition_ids, snapshot__foundation_version__model_id__in=foundation_model_ids
    ).select_related("snapshot__foundation_version")
    return {
        (row.partition_id, row.snapshot.foundation_version.model_id): row
        for row in rows.order_by("watermark", "created_at")
    }


def heads_of(teacher: FoundationModel) -> set[str]:
    """Return the task kinds that any version of the FM has a head for."""
    specs = teacher.versions.values_list("spec", flat=True)
    return {kind for spec in specs for kind in spec["model"]["task_kinds"]}
