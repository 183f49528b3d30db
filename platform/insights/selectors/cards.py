"""Model cards: what each model gets from the foundation model, and what it costs. Queries per page are fixed."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import QuerySet

from budgets.money import UNIT, ZERO
from budgets.selectors import ModelCost
from insights.selectors import shares
from insights.selectors.comparisons import COMPARED, Comparison
from insights.selectors.figures import Arms, Figures, figures_of
from insights.selectors.lifts import LiftFigure
from insights.selectors.sums import SparkPoint
from insights.selectors.supervision import Teaching
from registry import selectors as registry
from registry.models import VerticalModel
from tenancy.lists import ReadList
from tenancy.questions import Question, ask
from tenancy.scope import current_scope


class Listed(NamedTuple):
    """What a list shows of a model itself, ids as text. `paid`: training and measurement, None where nothing was."""

    id: str
    name: str
    status: str
    created_at: datetime
    stream_id: str
    stream_name: str
    paid: Sequence[Decimal] | None


class Card(NamedTuple):
    """One model at a glance. `paid` holds training and measurement; the FM's share stands apart."""

    model: Listed
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
    def id(self) -> str:
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


def card_rows(models: QuerySet[VerticalModel]) -> ReadList[Card]:
    """Return the vertical models as their cards, a page of which is read in one round trip with the rest."""
    return ReadList(models, _read)


def _read(asked: str, values: Sequence[Any]) -> list[Card]:
    tenant = current_scope().tenant_id
    page = Question(_PAGE.format(asked=asked), [*values, tenant, tenant])
    rows, *owed = ask(page, *shares.questions())
    return listed_cards(rows, owed)


def listed_cards(rows: Sequence[tuple[Any, ...]], owed: Sequence[Any]) -> list[Card]:
    """Return the cards of rows of `MODEL`; `owed` answers `shares.questions`: what `shares.parted` takes."""
    models = [Listed._make((*row[:6], row[6:8] if row[6] is not None else None)) for row in rows]
    compared = [Comparison._make(row[8:14]) for row in rows]
    parts, _ = shares.parted(owed[0], owed[1], {model.id for model in models})
    tasks = registry.tasks_of(version_ids=[held.version for held in compared if held.version])
    known = figures_of(compared)
    return [
        Card(
            model,
            held,
            tasks.get(held.version or "", ""),
            kept,
            ModelCost(*(model.paid or ())),
            parts.get(model.id, ZERO),
        )
        for model, held, kept in zip(models, compared, known, strict=True)
    ]
