"""What keeps a stream or a partition from being deleted: how much of which kind, and some of it by name."""

import uuid
from dataclasses import dataclass, field

from django.db import connection

from tenancy.errors import Use

SHOWN = 50
"""Most uses that are named."""

WORDS = {
    "model": ("model", "models"),
    "partition": ("partition", "partitions"),
    "run": ("run in progress", "runs in progress"),
    "label_set": ("label set", "label sets"),
    "foundation_model": ("foundation model", "foundation models"),
}
"""Kind -> what one of it is called, and several."""


@dataclass(frozen=True)
class Uses:
    """`some` uses, at least one of every kind, and how many of each there are."""

    some: list[Use] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.counts)

    @property
    def count(self) -> int:
        """How many there are in all."""
        return sum(self.counts.values())

    def text(self) -> str:
        """Return for example "1 model and 31 partitions"; "" where there is none."""
        words = [f"{count:,} {WORDS[kind][count > 1]}" for kind, count in sorted(self.counts.items())]
        return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


_SOME = """
    SELECT kind, id, name, count(*) OVER (PARTITION BY kind) FROM ({}) found
    ORDER BY row_number() OVER (PARTITION BY kind ORDER BY name, id), kind LIMIT %(shown)s
"""
"""In turn one of each kind, so that the first rows tell the number of every kind."""

_OF_STREAM = """
    SELECT 'model' AS kind, id, name FROM registry_verticalmodel WHERE stream_id = %(id)s
    UNION ALL
    SELECT 'partition', id, to_char(start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') || ' to '
        || to_char("end" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    FROM catalog_partition WHERE stream_id = %(id)s
"""
_OF_PARTITION = """
    SELECT 'model' AS kind, m.id, m.name FROM registry_verticalmodel m WHERE m.id IN (
        SELECT v.model_id FROM runs_workclaim c JOIN registry_lineage l ON l.id = c.lineage_id
        JOIN registry_modelversion v ON v.id = l.model_version_id WHERE c.partition_id = %(id)s)
    UNION ALL
    SELECT 'run', r.id, m.name FROM runs_run r JOIN registry_verticalmodel m ON m.id = r.model_id WHERE r.id IN (
        SELECT c.run_id FROM runs_workclaim c WHERE c.partition_id = %(id)s AND c.committed_at IS NULL)
    UNION ALL
    SELECT 'label_set', id, 'labels of ' || to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    FROM registry_labelset WHERE partition_id = %(id)s
    UNION ALL
    SELECT 'foundation_model', id, name FROM registry_foundationmodel
    WHERE id IN (SELECT exfm_teachers_at_work_on(%(id)s))
"""


def of_stream(*, stream_id: uuid.UUID) -> Uses:
    """Return the stream's models and partitions."""
    return _uses(_OF_STREAM, stream_id)


def of_partition(*, partition_id: uuid.UUID) -> Uses:
    """Return the models, open runs and foundation models that work or worked on the partition, and its label sets."""
    return _uses(_OF_PARTITION, partition_id)


def _uses(found: str, row_id: uuid.UUID) -> Uses:
    with connection.cursor() as cursor:
        cursor.execute(_SOME.format(found), {"id": row_id, "shown": SHOWN})
        rows = cursor.fetchall()
    return Uses([Use(kind, id_, name) for kind, id_, name, _ in rows], {row[0]: row[3] for row in rows})
