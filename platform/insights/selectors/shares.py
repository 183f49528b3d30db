"""What each model owes of the foundation models' cost: its tenant's share, split over the tenant's taught models."""

import uuid
from collections.abc import Collection, Container, Hashable, Iterable
from decimal import Decimal
from typing import Generic, NamedTuple, TypeVar

from budgets import allocation
from budgets.money import UNIT, ZERO
from tenancy.questions import Question, ask
from tenancy.scope import current_scope, owned

_FINE = 720_720
"""Divisible by every number up to 15, so that splitting a stream's rows over its models stays in whole numbers."""

_TAUGHT = """
    WITH bound AS MATERIALIZED (
        SELECT b.foundation_model_id, b.tenant_id, v.stream_id,
               array_agg(b.model_id::text ORDER BY b.created_at, b.id) AS models
        FROM registry_binding b JOIN registry_verticalmodel v ON v.id = b.model_id
        WHERE {bound} AND {modelled}
        GROUP BY b.foundation_model_id, b.tenant_id, v.stream_id
    ), labelled AS (
        SELECT foundation_model_id, stream_id, sum(rows)::bigint AS rows FROM budgets_monthlyrows WHERE {labelled}
        GROUP BY foundation_model_id, stream_id
    )
    SELECT foundation_model_id, tenant_id, rows, models
    FROM bound JOIN labelled USING (foundation_model_id, stream_id) ORDER BY stream_id
"""
"""Per labelled stream: who teaches, whose it is, rows labelled, and the models that were ever bound, oldest first.

The models are added up before they are joined: PostgreSQL expects one model to a stream, and would look each up.
"""


K = TypeVar("K", bound=Hashable)


class Group(NamedTuple, Generic[K]):
    """Models that weigh the same, in their order."""

    weight: int
    models: list[K]


class Shared(NamedTuple):
    """Shares to date of the models that were asked for, and of all models together."""

    parts: dict[uuid.UUID, Decimal]
    total: Decimal


def shared(owed: allocation.Owed | None = None, *, model_ids: Collection[uuid.UUID] | None = None) -> Shared:
    """Return the shares to date for the tenant in scope, or for all tenants in the platform's.

    `owed`: what tenants owe to date, read before; `model_ids`: the models to answer for, all unless given. A tenant's
    share is split by rows labelled on the models' streams; models on one stream share its rows equally.
    """
    to_date, taught = questions()
    if owed is None:
        due, streams = ask(to_date, taught)
    else:
        due, (streams,) = [(*key, amount) for key, amount in owed.items()], ask(taught)
    wanted = None if model_ids is None else {str(model_id): model_id for model_id in model_ids}
    parts, total = parted(due, streams, wanted)
    ids = wanted or {model_id: uuid.UUID(model_id) for model_id in parts}
    return Shared({ids[model_id]: part for model_id, part in parts.items()}, total)


def questions() -> tuple[Question, Question]:
    """Return what `parted` takes the answers of: what is owed to date, and who is taught."""
    return allocation.to_date_question(), taught_question()


def taught_question() -> Question:
    """Ask who is taught: the second of `questions`."""
    tenant_id = current_scope().tenant_id
    statement = _TAUGHT.format(bound=owned("b.tenant_id"), modelled=owned("v.tenant_id"), labelled=owned("tenant_id"))
    return Question(statement, {"tenant": tenant_id} if tenant_id else {}, fixed=True)


def parted(
    owed: Iterable[tuple[uuid.UUID, uuid.UUID, Decimal]],
    streams: Iterable[tuple[uuid.UUID, uuid.UUID, int, list[str]]],
    wanted: Container[str] | None = None,
) -> tuple[dict[str, Decimal], Decimal]:
    """Return the shares of the models in `wanted`, ids as text, and that of all models together; see `shared`."""
    groups: dict[tuple[uuid.UUID, uuid.UUID], list[Group[str]]] = {}
    for teacher_id, tenant_id, rows, bound in streams:
        models = list(dict.fromkeys(bound))  # a model may have been bound to the same teacher twice
        groups.setdefault((teacher_id, tenant_id), []).append(Group(rows * _FINE // len(models), models))
    parts: dict[str, Decimal] = {}
    total = ZERO
    for teacher_id, tenant_id, amount in owed:
        taught = groups.get((teacher_id, tenant_id), [])
        if any(group.weight for group in taught):
            total += amount
        for model_id, part in split(amount, taught, wanted).items():
            parts[model_id] = parts.get(model_id, ZERO) + part
    return parts, total


def shares(
    owed: allocation.Owed | None = None, *, model_ids: Collection[uuid.UUID] | None = None
) -> dict[uuid.UUID, Decimal]:
    """Return model -> share to date; see `shared`."""
    return shared(owed, model_ids=model_ids).parts


def split(total: Decimal, groups: list[Group[K]], wanted: Container[K] | None = None) -> dict[K, Decimal]:
    """Return the parts of `wanted` (all unless given) that `budgets.money.largest_remainder` gives each single model.

    Models of one group have one remainder: a tenant's many models on few streams need no sorting one by one.
    """
    held = [group for group in groups if group.weight > 0]
    if not held:
        return {}
    units, of = int((total / UNIT).to_integral_exact()), sum(group.weight * len(group.models) for group in held)
    floors = [divmod(units * group.weight, of) for group in held]
    left = units - sum(floor * len(group.models) for (floor, _), group in zip(floors, held, strict=True))
    parts: dict[K, Decimal] = {}
    for (floor, _), group in sorted(zip(floors, held, strict=True), key=lambda pair: -pair[0][1]):
        low, high = floor * UNIT, (floor + 1) * UNIT
        for place, model_id in enumerate(group.models):
            if wanted is None or model_id in wanted:
                parts[model_id] = high if place < left else low
        left -= len(group.models)
    return parts
