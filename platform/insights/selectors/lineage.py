"""Lineage both ways: from a model down to rows and teachers, from a partition or a snapshot up to what came of it."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import BooleanField, F, Func, QuerySet, Value

from registry.models import LabelSet, Lineage
from runs.models import Consumption
from tenancy.questions import Question, ask
from tenancy.scope import current_scope


@dataclass(frozen=True)
class Taught:
    """A snapshot that taught a lineage."""

    id: uuid.UUID
    watermark: datetime
    state: str


@dataclass(frozen=True)
class Course:
    """One lineage, what it read, and the snapshots whose labels taught it. Times are event times."""

    id: uuid.UUID
    version: int
    arm: str
    state: str
    seed: int
    parent_checkpoint: uuid.UUID | None
    head: uuid.UUID | None
    partitions: int
    rows: int
    start: datetime | None
    end: datetime | None
    snapshots: list[Taught]


_COURSES = """
    SELECT l.id, v.number, l.arm, l.state, l.seed, l.parent_checkpoint_id, l.head_id,
           read.partitions, read.rows, read.start, read."end", taught.ids, taught.watermarks, taught.states
    FROM registry_modelversion v
    JOIN registry_lineage l ON l.model_version_id = v.id
    CROSS JOIN LATERAL (
        SELECT count(*) AS partitions, coalesce(sum(p.rows), 0)::bigint AS rows, min(p.start) AS start,
               max(p."end") AS "end"
        FROM runs_consumption c JOIN catalog_partition p ON p.id = c.partition_id WHERE c.lineage_id = l.id
    ) read
    CROSS JOIN LATERAL (
        SELECT array_agg(s.id ORDER BY s.watermark, s.id) AS ids,
               array_agg(s.watermark ORDER BY s.watermark, s.id) AS watermarks,
               array_agg(s.state ORDER BY s.watermark, s.id) AS states
        FROM registry_snapshot s WHERE s.id IN (
            SELECT labels.snapshot_id FROM runs_workclaim w JOIN registry_labelset labels ON labels.id = w.label_set_id
            WHERE w.lineage_id = l.id AND w.committed_at IS NOT NULL
        )
    ) taught
    WHERE v.model_id = %s AND (%s::uuid IS NULL OR v.tenant_id = %s)
    ORDER BY v.number, l.created_at, l.id
"""


def courses_of(*, model_id: uuid.UUID) -> list[Course]:
    """Return the model's lineages, newest version last."""
    tenant_id = current_scope().tenant_id
    with connection.cursor() as cursor:
        cursor.execute(_COURSES, [model_id, tenant_id, tenant_id])
        rows = cursor.fetchall()
    found = []
    for *course, ids, watermarks, states in rows:
        taught = [Taught(*each) for each in zip(ids or (), watermarks or (), states or (), strict=True)]
        found.append(Course(*(*course, taught)))
    return found


_OWN = "(SELECT tenant_id FROM registry_lineage WHERE id = %(expressions)s) IS NOT NULL"
"""Not a foundation model's lineage. Asked row by row, newest first, until a page is full: a join would ask for all."""


def consumers(*, partition_id: uuid.UUID) -> QuerySet[Consumption]:
    """Return the models' steps that consumed the partition."""
    own = Func(F("lineage_id"), template=_OWN, output_field=BooleanField())
    return Consumption.objects.filter(own, partition_id=partition_id)


def labelled(*, snapshot_id: uuid.UUID) -> QuerySet[LabelSet]:
    """Return the label sets in scope that the snapshot made."""
    return LabelSet.objects.filter(snapshot_id=snapshot_id)


_LEARNED = """EXISTS (
    SELECT FROM runs_workclaim w JOIN registry_labelset labels ON labels.id = w.label_set_id
    WHERE w.committed_at IS NOT NULL AND (w.lineage_id, labels.snapshot_id) = (%(expressions)s)
)"""


def learners(*, snapshot_id: uuid.UUID) -> QuerySet[Lineage]:
    """Return the models' lineages in scope that trained with the snapshot's labels."""
    learned = Func(F("id"), Value(snapshot_id), template=_LEARNED, output_field=BooleanField())
    return Lineage.objects.filter(learned, model_version__isnull=False)


@dataclass(frozen=True)
class ModelLink:
    """What a link to a lineage's model shows."""

    id: uuid.UUID
    name: str
    version: int
    arm: str


_LINKS = """
    SELECT l.id, m.id, m.name, v.number, l.arm FROM registry_lineage l
    JOIN registry_modelversion v ON v.id = l.model_version_id
    JOIN registry_verticalmodel m ON m.id = v.model_id
    WHERE l.id = ANY(%s)
"""
"""Asked for the lineages of a page: joined to all that the page is taken from, they would be looked up for each."""


def model_links(*, lineage_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, ModelLink]:
    """Return lineage -> link of its model; lineages of a foundation model, or out of scope, are left out."""
    with connection.cursor() as cursor:
        cursor.execute(_LINKS, [list(lineage_ids)])
        return {row[0]: ModelLink(*row[1:]) for row in cursor.fetchall()}


SHOWN = 50
"""Most entries of each list of uses; the lists by themselves have them all, in pages."""

Row = dict[str, Any]


class Uses(NamedTuple):
    """What came of a partition or a snapshot, newest first, a list's first `SHOWN`, and whether there are more.

    `label_sets` are columns by name, `tasks` as JSON; `models`: each link and its step's checkpoint, of a partition.
    """

    label_sets: list[Row]
    more_label_sets: bool
    models: list[tuple[ModelLink, uuid.UUID | None]]
    more_models: bool


_LABEL_SET = ("id", "partition_id", "snapshot_id", "watermark", "tasks", "rows", "sha256", "created_at")
_SETS = f"""
    SELECT {", ".join(_LABEL_SET)} FROM registry_labelset
    WHERE (%(tenant)s::uuid IS NULL OR tenant_id = %(tenant)s) AND {{}} LIMIT %(shown)s + 1
"""  # noqa: S608
_LINKED = """
    SELECT m.id, m.name, v.number, l.arm, step.checkpoint_id FROM ({}) step
    JOIN registry_lineage l ON l.id = step.lineage_id
    JOIN registry_modelversion v ON v.id = l.model_version_id
    JOIN registry_verticalmodel m ON m.id = v.model_id
    ORDER BY step.id DESC
"""
_PARTITION = """
    SELECT FROM catalog_partition
    WHERE id = %(id)s AND stream_id = %(stream)s AND (%(tenant)s::uuid IS NULL OR tenant_id = %(tenant)s)
"""
_SETS_OF_PARTITION = _SETS.format("partition_id = %(id)s ORDER BY id DESC")
_CONSUMERS = _LINKED.format(f"""
    SELECT c.id, c.lineage_id, c.checkpoint_id FROM runs_consumption c
    WHERE c.partition_id = %(id)s AND (%(tenant)s::uuid IS NULL OR c.tenant_id = %(tenant)s)
        AND {_OWN % {"expressions": "c.lineage_id"}}
    ORDER BY c.id DESC LIMIT %(shown)s + 1
""")  # noqa: S608
_SNAPSHOT = "SELECT FROM registry_snapshot WHERE id = %(id)s"
_SETS_OF_SNAPSHOT = _SETS.format("snapshot_id = %(id)s ORDER BY partition_start DESC, id DESC")
_LEARNERS = _LINKED.format(f"""
    SELECT o.id, o.id AS lineage_id, NULL::uuid AS checkpoint_id FROM registry_lineage o
    WHERE (%(tenant)s::uuid IS NULL OR o.tenant_id = %(tenant)s) AND o.model_version_id IS NOT NULL
        AND {_LEARNED % {"expressions": "o.id, %(id)s"}}
    ORDER BY o.id DESC LIMIT %(shown)s + 1
""")  # noqa: S608


def partition_uses(*, stream_id: uuid.UUID, partition_id: uuid.UUID) -> Uses | None:
    """Return the partition's label sets and the models' steps that consumed it; None if there is no such partition."""
    return _uses(_PARTITION, _SETS_OF_PARTITION, _CONSUMERS, id=partition_id, stream=stream_id)


def snapshot_uses(*, snapshot_id: uuid.UUID) -> Uses | None:
    """Return the label sets in scope that the snapshot made, latest event time first, and the models that learned.

    None if there is no such snapshot.
    """
    return _uses(_SNAPSHOT, _SETS_OF_SNAPSHOT, _LEARNERS, id=snapshot_id)


def _uses(*statements: str, **values: uuid.UUID) -> Uses | None:
    asked = {**values, "tenant": current_scope().tenant_id, "shown": SHOWN}
    known, sets, links = ask(*(Question(statement, asked) for statement in statements))
    if not known:
        return None
    return Uses(
        [dict(zip(_LABEL_SET, row, strict=True)) for row in sets[:SHOWN]],
        len(sets) > SHOWN,
        [(ModelLink(*link), checkpoint) for *link, checkpoint in links[:SHOWN]],
        len(links) > SHOWN,
    )
