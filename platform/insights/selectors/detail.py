"""One model in full: its version in force, what it reads, who teaches it, and what serving it takes."""

import json
import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import connection

from budgets.models import Quota
from exfm_core.cost.device import DeviceProfile
from exfm_core.spec import StreamSchema, VerticalSpec
from insights.selectors.cards import CARD, MODEL, Card, listed_cards
from insights.selectors.shares import questions
from registry import errors
from registry.latency import FlavorLatency, LatencyBudget, latencies, latency_budget, serving_flavor
from tenancy.questions import Question, ask
from tenancy.scope import current_scope, owned

PARSED = 256
"""Texts of specs, schemas and device profiles that a process keeps parsed."""


@dataclass(frozen=True)
class Version:
    """The version in force; `written` is its spec as JSON, which nobody may change."""

    number: int
    sha256: str
    serving_parameters: int
    serving_flops: int
    written: dict[str, Any]
    spec: VerticalSpec


@dataclass(frozen=True)
class Stream:
    """What the model learns from."""

    name: str
    feed_fm: bool
    feed_shared: bool
    schema: StreamSchema


@dataclass(frozen=True)
class Serving:
    """Estimated latency on each measured flavor, and on the serving flavor against the tenant's limit."""

    limit_parameters: int
    limit_flops: int
    latency: list[FlavorLatency]
    latency_budget: LatencyBudget


class Progress(NamedTuple):
    """One lineage behind a card: how many partitions it has consumed."""

    arm: str
    state: str
    partitions: int


@dataclass(frozen=True)
class Detail:
    """A model in full; `teacher` is the name of the foundation model that teaches it, `lineages` control first."""

    card: Card
    train_from: datetime | None
    version: Version
    stream: Stream
    teacher: str | None
    serving: Serving
    lineages: list[Progress]


_DETAIL = f"""
    SELECT shown.*, m.train_from,
           v.number, v.sha256, v.serving_parameters, v.serving_flops, v.spec::text,
           s.feed_fm, s.feed_shared, s.schema::text, f.name,
           q.id IS NOT NULL, q.serving_parameters, q.serving_flops, q.serving_latency_us,
           ARRAY(SELECT ARRAY[flavor, profile::text] FROM registry_deviceprofile ORDER BY flavor)
    FROM ({MODEL.format(asked="(SELECT %(model)s::uuid AS id) asked")}) shown
    JOIN registry_verticalmodel m ON m.id = %(model)s
    JOIN LATERAL (SELECT * FROM registry_modelversion WHERE model_id = m.id ORDER BY number DESC LIMIT 1) v ON true
    JOIN catalog_stream s ON s.id = m.stream_id
    LEFT JOIN registry_binding b ON b.model_id = m.id AND b.ended_at IS NULL
    LEFT JOIN registry_foundationmodel f ON f.id = b.foundation_model_id
    LEFT JOIN budgets_quota q ON q.tenant_id = m.tenant_id
    WHERE {{owned}}
"""  # noqa: S608
_LINEAGES = """
    SELECT l.arm, l.state, (
        SELECT count(*) FROM runs_consumption
        WHERE lineage_id = l.id AND {consumed}
    )
    FROM registry_lineage l
    WHERE l.model_version_id = (
        SELECT v.id FROM registry_modelversion v
        WHERE v.model_id = %(model)s AND EXISTS (SELECT FROM registry_lineage WHERE model_version_id = v.id)
        ORDER BY v.number DESC LIMIT 1
    ) AND l.state <> 'abandoned' AND {owned}
    ORDER BY l.arm, l.created_at, l.id
"""


def detail(*, model_id: uuid.UUID) -> Detail:
    """Return one model in full; NotFound if the scope has no such model."""
    tenant_id = current_scope().tenant_id
    asked = {"model": model_id, **({"tenant": tenant_id} if tenant_id else {})}
    shown = _DETAIL.format(owned=owned("m.tenant_id"))
    learned = _LINEAGES.format(consumed=owned("tenant_id"), owned=owned("l.tenant_id"))
    rows, lineages, *owed = ask(Question(shown, asked, fixed=True), Question(learned, asked, fixed=True), *questions())
    if not rows:
        raise errors.model_not_found()
    (row,) = rows
    (card,) = listed_cards(rows, owed)
    train_from, number, sha256, parameters, flops, spec, feed_fm, feed_shared, schema, teacher = row[CARD:][:10]
    stored, *limits, profiles = row[CARD + 10 :]
    most, most_flops, limit_us = limits if stored else _defaults()
    estimates, budget = _estimates(spec, schema, tuple(map(tuple, profiles)), serving_flavor())
    return Detail(
        card,
        train_from,
        Version(number, sha256, parameters, flops, *_spec(spec)),
        Stream(row[5], feed_fm, feed_shared, _schema(schema)),
        teacher,
        Serving(most, most_flops, estimates, replace(budget, limit_us=limit_us)),
        [Progress(*lineage) for lineage in lineages],
    )


def _defaults() -> tuple[int, int, int | None]:
    quota = Quota()
    return quota.serving_parameters, quota.serving_flops, quota.serving_latency_us


@lru_cache(maxsize=PARSED)
def _spec(text: str) -> tuple[dict[str, Any], VerticalSpec]:
    written = json.loads(text)
    return written, VerticalSpec.from_json(written)


@lru_cache(maxsize=PARSED)
def _schema(text: str) -> StreamSchema:
    return StreamSchema.from_json(json.loads(text))


@lru_cache(maxsize=PARSED)
def _estimates(
    spec: str, schema: str, profiles: tuple[tuple[str, str], ...], flavor: str
) -> tuple[list[FlavorLatency], LatencyBudget]:
    """Return the estimates on each flavor, and the one on the serving `flavor` without a limit."""
    measured = {name: DeviceProfile.from_json(json.loads(profile)) for name, profile in profiles}
    known, reads = _spec(spec)[1], _schema(schema)
    return (
        latencies(spec=known, schema=reads, measured=measured),
        latency_budget(spec=known, schema=reads, limit_us=None, measured=measured),
    )


_LEARNED = """
    SELECT count(*), sum(p.rows)::bigint, min(p.start), max(p."end")
    FROM runs_consumption c JOIN catalog_partition p ON p.id = c.partition_id
    WHERE c.lineage_id = %(lineage)s AND (%(tenant)s::uuid IS NULL OR c.tenant_id = %(tenant)s)
"""


class Learned(NamedTuple):
    """What a lineage has read so far, in event time."""

    partitions: int
    rows: int
    start: datetime
    end: datetime


def learned(*, lineage_id: uuid.UUID | None) -> Learned | None:
    """Return what the lineage has learned from; None before its first partition."""
    if lineage_id is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(_LEARNED, {"lineage": lineage_id, "tenant": current_scope().tenant_id})
        found = Learned(*cursor.fetchone())
    return found if found.partitions else None
