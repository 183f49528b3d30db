"""Loads committed sums. Only partitions that both arms have consumed count, so that an arm is never ahead of the other.

Adding 256 buckets up over partitions happens in the database; a page asks once for all of its models.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.db import connection
from psycopg import sql

from exfm_core.metrics.sums import BucketSums
from insights.selectors.comparisons import Comparison
from insights.selectors.memory import Memory

_MATCHED = sql.SQL("""
    WITH pair AS (
        SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[]) AS p(model, first, second)
    ), matched AS (
        SELECT pair.model, a.scope, a.partition_id, a.created_at,
               a.n, a.y, a.loss AS first_loss, a.p AS first_p, b.loss AS second_loss, b.p AS second_p,
               a.auc AS first_auc, b.auc AS second_auc
        FROM pair
        JOIN runs_metricsums a ON a.lineage_id = pair.first AND a.scope IN ('all', 'covered')
        LEFT JOIN runs_metricsums b
            ON b.lineage_id = pair.second AND b.partition_id = a.partition_id AND b.scope = a.scope
        WHERE (pair.second IS NULL OR b.id IS NOT NULL) AND (%s::uuid IS NULL OR a.partition_id = %s)
    )
""")

_TOTALS = _MATCHED + sql.SQL("""
    , bucket AS (
        SELECT m.model, m.scope, u.place, sum(u.n) AS n, sum(u.y) AS y, sum(u.first_loss) AS first_loss,
               sum(u.first_p) AS first_p, sum(u.second_loss) AS second_loss, sum(u.second_p) AS second_p
        FROM matched m CROSS JOIN LATERAL unnest(m.n, m.y, m.first_loss, m.first_p, m.second_loss, m.second_p)
            WITH ORDINALITY AS u(n, y, first_loss, first_p, second_loss, second_p, place)
        GROUP BY m.model, m.scope, u.place
    ), span AS (
        SELECT m.model, m.scope, max(t."end") AS until, max(m.created_at) AS committed, count(*) AS partitions
        FROM matched m JOIN catalog_partition t ON t.id = m.partition_id GROUP BY m.model, m.scope
    )
    SELECT s.model, s.scope, s.until, s.committed, s.partitions,
           array_agg(b.n ORDER BY b.place), array_agg(b.y ORDER BY b.place),
           array_agg(b.first_loss ORDER BY b.place), array_agg(b.first_p ORDER BY b.place),
           array_agg(b.second_loss ORDER BY b.place), array_agg(b.second_p ORDER BY b.place)
    FROM span s JOIN bucket b ON b.model = s.model AND b.scope = s.scope
    GROUP BY s.model, s.scope, s.until, s.committed, s.partitions
""")

_SPARK = _MATCHED + sql.SQL("""
    SELECT model, "end", first, second FROM (
        SELECT m.model, t."end", (SELECT sum(x) FROM unnest(m.first_loss) x) AS first,
               (SELECT sum(x) FROM unnest(m.second_loss) x) AS second,
               row_number() OVER (PARTITION BY m.model ORDER BY t.start DESC) AS back
        FROM matched m JOIN catalog_partition t ON t.id = m.partition_id
        WHERE m.scope = 'all' AND m.second_loss IS NOT NULL
    ) AS points WHERE back <= %s ORDER BY model, "end"
""")

_SLICES = _MATCHED + sql.SQL("""
    SELECT m.scope, t.id, t.start, t."end", m.n, m.y, m.first_loss, m.first_p, m.second_loss, m.second_p,
           m.first_auc, m.second_auc
    FROM matched m JOIN catalog_partition t ON t.id = m.partition_id ORDER BY t.start, m.scope
""")


SPARK_POINTS = 60


@dataclass(frozen=True)
class Totals:
    """Sums of both arms over the same rows, up to an event time. `treatment` None: the model has one arm."""

    control: BucketSums
    treatment: BucketSums | None
    until: datetime
    committed: datetime
    partitions: int

    def __add__(self, other: "Totals") -> "Totals":
        """Return the totals over both; the partitions must be disjoint."""
        return Totals(
            self.control + other.control,
            self.treatment + other.treatment if self.treatment is not None and other.treatment is not None else None,
            max(self.until, other.until),
            max(self.committed, other.committed),
            self.partitions + other.partitions,
        )


@dataclass(frozen=True)
class Slice:
    """One partition's sums of both arms in one scope."""

    scope: str
    partition_id: uuid.UUID
    start: datetime
    end: datetime
    control: BucketSums
    treatment: BucketSums | None
    auc_control: float | None
    auc_treatment: float | None


@dataclass(frozen=True)
class SparkPoint:
    """Lift in % of the partition that ends at `t`."""

    t: datetime
    lift: float | None


_totals: Memory[dict[str, Totals]] = Memory(most=512)


def _asked(comparisons: Iterable[Comparison], partition_id: uuid.UUID | None = None) -> list[Any]:
    """Parameters of `_MATCHED`."""
    rows = [
        (held.model, held.control_text or held.treatment_text, held.treatment_text if held.control_text else None)
        for held in comparisons
        if held.control_text or held.treatment_text
    ]
    return [*([row[place] for row in rows] for place in range(3)), partition_id, partition_id]


def _sums(n: list[float], y: list[float], loss: list[float], p: list[float]) -> BucketSums:
    return BucketSums(*(np.asarray(values, dtype=np.float64) for values in (n, y, loss, p)))


def totals(*, comparisons: Iterable[Comparison]) -> dict[uuid.UUID, dict[str, Totals]]:
    """Return model -> scope -> totals over all partitions; scopes are `all` and `covered`."""
    asked = list(comparisons)
    known = zip(asked, _totals.recall(asked, load_totals), strict=True)
    return {held.model_id: found for held, found in known if found is not None}


def load_totals(
    comparisons: Iterable[Comparison], partition_id: uuid.UUID | None = None
) -> dict[uuid.UUID, dict[str, Totals]]:
    """Read what `totals` returns, or the same of one partition, from the committed sums."""
    with connection.cursor() as cursor:
        cursor.execute(_TOTALS, _asked(comparisons, partition_id))
        rows = cursor.fetchall()
    found: dict[uuid.UUID, dict[str, Totals]] = {}
    for model, scope, until, committed, partitions, n, y, first_loss, first_p, second_loss, second_p in rows:
        second = _sums(n, y, second_loss, second_p) if second_loss[0] is not None else None
        first = _sums(n, y, first_loss, first_p)
        found.setdefault(model, {})[scope] = Totals(first, second, until, committed, partitions)
    return found


def sparks(
    *, comparisons: Iterable[Comparison], partition_id: uuid.UUID | None = None
) -> dict[uuid.UUID, list[SparkPoint]]:
    """Return each model's lift for its last partitions, or for one, without intervals."""
    with connection.cursor() as cursor:
        cursor.execute(_SPARK, [*_asked(comparisons, partition_id), SPARK_POINTS])
        rows = cursor.fetchall()
    found: dict[uuid.UUID, list[SparkPoint]] = {}
    for model, end, control, treatment in rows:
        gain = 100.0 * (1.0 - treatment / control) if control and control > 0 else None
        found.setdefault(model, []).append(SparkPoint(end, gain))
    return found


def slices(*, comparison: Comparison) -> list[Slice]:
    """Return one model's sums by partition and scope, in event-time order."""
    if comparison.lead is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_SLICES, _asked([comparison]))
        rows = cursor.fetchall()
    return [_slice(*row) for row in rows]


def _slice(
    scope: str,
    partition_id: uuid.UUID,
    start: datetime,
    end: datetime,
    n: list[float],
    y: list[float],
    first_loss: list[float],
    first_p: list[float],
    second_loss: list[float] | None,
    second_p: list[float] | None,
    first_auc: float | None,
    second_auc: float | None,
) -> Slice:
    second = _sums(n, y, second_loss, second_p) if second_loss is not None and second_p is not None else None
    return Slice(scope, partition_id, start, end, _sums(n, y, first_loss, first_p), second, first_auc, second_auc)
