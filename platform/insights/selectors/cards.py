"""Model cards: what each model gets from the foundation model, and what it costs. Queries per page are fixed."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet
from django.db.models.query import BaseIterable

from budgets import selectors as budgets
from budgets.money import UNIT, ZERO
from budgets.selectors import ModelCost
from insights.selectors import shares
from insights.selectors.comparisons import COMPARED, Comparison, comparisons
from insights.selectors.figures import Arms, Figures, figures_of
from insights.selectors.lifts import LiftFigure
from insights.selectors.sums import SparkPoint
from insights.selectors.supervision import Teaching
from registry import selectors as registry
from registry.models import VerticalModel
from tenancy.questions import Question, ask
from tenancy.scope import current_scope


class Named(Protocol):
    """What a card needs of its model: a `VerticalModel`, or a `Listed`. `id` is a UUID, or its text in a page."""

    @property
    def id(self) -> Any: ...
    @property
    def name(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def created_at(self) -> datetime: ...


class Listed(NamedTuple):
    """What a list shows of a model itself. `paid`: training and measurement so far, None where nothing was paid."""

    id: Any
    name: str
    status: str
    created_at: datetime
    stream_id: Any
    stream_name: str
    paid: Sequence[Decimal] | None


class Card(NamedTuple):
    """One model at a glance. `paid` holds training and measurement; the FM's share stands apart."""

    model: Named
    comparison: Comparison
    task: str
    figures: Figures
    paid: ModelCost
    fm_share: Decimal

    @property
    def lift(self) -> LiftFigure:
        """NE gained over the control."""
        return self.figures.lift

    @property
    def ne(self) -> Arms:
        """Normalized entropy."""
        return self.figures.ne

    @property
    def auc(self) -> Arms:
        """AUC over all partitions."""
        return self.figures.auc

    @property
    def coverage(self) -> float | None:
        """Share of rows with a label of the foundation model."""
        return self.figures.coverage

    @property
    def teaching(self) -> Teaching:
        """How the foundation model teaches it."""
        return self.figures.teaching

    @property
    def freshness_seconds(self) -> float | None:
        """Freshness gap of the newest labelled partition."""
        return self.figures.teaching.freshness_seconds

    @property
    def spark(self) -> Sequence[SparkPoint]:
        """Lift of the last partitions."""
        return self.figures.spark

    @property
    def cost(self) -> Decimal:
        """Training and measurement since registration."""
        return self.paid.total

    @property
    def measurement_cost(self) -> Decimal:
        """The control arm's part of `cost`."""
        return self.paid.measurement

    @property
    def cost_per_point(self) -> Decimal | None:
        """Money per percent of NE, the FM's share included; None while the interval does not lie above zero."""
        gained = self.figures.lift
        if gained.value is None or gained.low is None or gained.low <= 0:
            return None
        return ((self.paid.total + self.fm_share) / Decimal(str(gained.value))).quantize(UNIT)

    @property
    def updated_at(self) -> datetime:
        """The last commit, else the registration."""
        return self.figures.committed or self.model.created_at

    @property
    def id(self) -> Any:
        """The model's id; pages are ordered by it."""
        return self.model.id

    @property
    def name(self) -> str:
        """The model's name; pages may be ordered by it."""
        return self.model.name


MODEL = f"""
    SELECT m.id::text, m.name, m.status, m.created_at, m.stream_id::text,
           (SELECT name FROM catalog_stream WHERE id = m.stream_id) AS stream,
           c.training, c.measurement, m.id::text AS model, compared.*
    FROM {{asked}}
    JOIN registry_verticalmodel m ON m.id = asked.id
    LEFT JOIN budgets_costtodate c ON c.model_id = m.id
    LEFT JOIN LATERAL (
        SELECT {COMPARED} FROM registry_modelversion v JOIN registry_lineage l ON l.model_version_id = v.id
        WHERE v.model_id = m.id GROUP BY v.id ORDER BY v.number DESC LIMIT 1
    ) compared ON true
"""  # noqa: S608
"""What a card says of a model itself, of the ids `asked`: `CARD` columns.

The stream's name is no join: PostgreSQL would begin with the tenant's streams and go through all of its models.
"""
CARD = 14

_PAGE = (
    MODEL.format(asked="unnest(ARRAY({asked})) WITH ORDINALITY AS asked (id, place)")
    + "WHERE %s::uuid IS NULL OR m.tenant_id = %s ORDER BY asked.place"
)
"""Written out around the models that are asked for: to compose it for each page takes longer than to answer it."""


class _Cards(BaseIterable):
    """Makes the cards where Django would make objects."""

    def __iter__(self) -> Iterator[Card]:
        try:
            statement, values = self.queryset.query.sql_with_params()
        except EmptyResultSet:
            return iter(())
        tenant = current_scope().tenant_id
        page = Question(_PAGE.format(asked=statement), [*values, tenant, tenant])
        rows, *owed = ask(page, *shares.questions())
        return iter(listed_cards(rows, owed))


def card_rows() -> QuerySet[VerticalModel, Card]:
    """Return the vertical models in scope as their cards, read in one round trip with the rest."""
    wanted: QuerySet[VerticalModel, Any] = VerticalModel.objects.values("id")
    wanted._iterable_class = _Cards
    return wanted


def listed_cards(rows: Sequence[tuple[Any, ...]], owed: Sequence[Any]) -> list[Card]:
    """Return the cards of rows of `MODEL`; `owed` answers `shares.questions`: what `shares.parted` takes."""
    models = [Listed._make((*row[:6], row[6:8] if row[6] is not None else None)) for row in rows]
    parts, _ = shares.parted(owed[0], owed[1], {row[0] for row in rows})
    return _cards(models, [Comparison._make(row[8:14]) for row in rows], parts)


def cards(*, models: Sequence[Named]) -> list[Card]:
    """Return the cards of the models, in their order."""
    ids = [model.id for model in models]
    if not ids:
        return []
    found, parts = comparisons(model_ids=ids), shares.shares(model_ids=ids)
    return _cards(models, [found[model_id] for model_id in ids], {str(model_id): parts[model_id] for model_id in parts})


def _cards(models: Sequence[Named], compared: Sequence[Comparison], parts: Mapping[str, Decimal]) -> list[Card]:
    tasks = registry.tasks_of(version_ids=[held.version for held in compared if held.version])
    known = figures_of(compared)
    return [
        Card(model, held, tasks.get(held.version or "", ""), kept, paid, parts.get(held.model, ZERO))
        for model, held, kept, paid in zip(models, compared, known, _paid(models), strict=True)
    ]


def _paid(models: Sequence[Any]) -> list[ModelCost]:
    """Return what each model has cost: as the rows of a list say, else read now."""
    if models and isinstance(models[0], Listed):
        return [ModelCost(*(model.paid or ())) for model in models]
    read = budgets.cost_by_model(model_ids=[model.id for model in models])
    return [read.get(model.id) or ModelCost() for model in models]
