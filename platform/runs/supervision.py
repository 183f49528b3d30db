"""Which teacher labels a partition is trained with: a committed label set, none, or wait (METHOD §3: 1, 3, 4)."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from catalog.models import Partition
from exfm_core.spec import StreamSchema, VerticalSpec
from registry.models import FoundationModel, LabelSet, ModelVersion, VerticalModel
from registry.selectors import newest_published, open_binding
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


def choose(*, model: VerticalModel, version: ModelVersion, partition: Partition, now: datetime) -> Choice | Wait:
    """Decide the labels of a sealed partition. The caller writes the choice into the claim before a row is read."""
    binding = open_binding(model_id=model.id)
    if binding is None:
        return Choice(None, "unbound")
    if not VerticalSpec.from_json(version.spec).supervision.uses_teacher:
        return Choice(None, "unsupervised")
    teacher, kind = binding.foundation_model, task_kind(model, version)
    heads = heads_of(teacher)
    if kind not in heads:
        return Choice(None, "no_head")
    label_set = newest_label_set(partition_id=partition.id, foundation_model_id=teacher.id)
    if label_set is not None:
        return Choice(label_set) if kind in label_set.tasks else Choice(None, "no_head")
    if now >= deadline(partition, model.stream.label_deadline_seconds):
        return Choice(None, "deadline")
    # Read before the snapshots: a period that is committed between the two reads is then seen published, never missed.
    pending = frontier(teacher)
    named = f"the partition from {partition.start:%Y-%m-%d %H:%M}"
    if newest_published(foundation_model_id=teacher.id, at_or_before=partition.start) is not None:
        return Wait("labels_scoring", f"It waits for the teacher's labels of {named}.")
    if pending is not None and pending <= partition.start:
        return Wait("labels_foundation", f"It waits for the foundation model's first snapshot for {named}.")
    return Choice(None, "no_snapshot")


def newest_label_set(*, partition_id: uuid.UUID, foundation_model_id: uuid.UUID) -> LabelSet | None:
    """Return the partition's committed label set of the newest snapshot of that FM."""
    rows = LabelSet.objects.filter(
        partition_id=partition_id, snapshot__foundation_version__model_id=foundation_model_id
    ).select_related("snapshot")
    return rows.order_by("-watermark", "-created_at").first()


def heads_of(teacher: FoundationModel) -> set[str]:
    """Return the task kinds that any version of the FM has a head for."""
    specs = teacher.versions.values_list("spec", flat=True)
    return {kind for spec in specs for kind in spec["model"]["task_kinds"]}
