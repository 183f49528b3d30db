"""What needs a hand: each item says what happened, how to mend it, and where."""

from collections.abc import Iterable
from dataclasses import dataclass

from budgets.models import Budget
from budgets.money import written
from budgets.selectors import Spend
from exfm_core.figures import share, signed
from insights.selectors.facts import CLIPPED, Facts
from insights.selectors.lifts import LiftFigure
from insights.selectors.supervision import Teaching
from tenancy.models import Tenant

WARN_AT = 0.8


@dataclass(frozen=True)
class Item:
    """`link` is an address of the dashboard."""

    code: str
    message: str
    mend: str
    link: str


@dataclass(frozen=True)
class Watched:
    """A model, its id as text, and the figures that may need a hand."""

    id: str
    name: str
    lift: LiftFigure
    teaching: Teaching

    @property
    def needs_a_hand(self) -> bool:
        """Whether an item speaks of the model."""
        return self.harmed or self.clipped

    @property
    def harmed(self) -> bool:
        """Whether the whole interval of its lift lies below zero."""
        return self.lift.high is not None and self.lift.high < 0

    @property
    def clipped(self) -> bool:
        """Whether label scaling cuts too many of its labels."""
        return self.teaching.clipped_share is not None and self.teaching.clipped_share > CLIPPED


def attention(*, tenant: Tenant, models: Iterable[Watched], spend: Spend, known: Facts) -> list[Item]:
    """Return the tenant's items, the most pressing first."""
    return [
        *_money(tenant, spend, known),
        *_failed(tenant, known),
        *_rejected(tenant, known),
        *(item for model in models for item in _model(tenant, model)),
    ]


def _money(tenant: Tenant, spend: Spend, known: Facts) -> list[Item]:
    link = f"/t/{tenant.slug}/costs"
    if spend.acts and spend.action != Budget.Action.WARN:
        stops = ", and running ones stop at their next checkpoint" if spend.action == Budget.Action.STOP else ""
        return [
            Item(
                "budget_hold",
                f"{written(spend.spent)} of the budget of {written(spend.budget)} are spent: "
                f"from {spend.act_percent} % on no new run starts{stops}.",
                "Ask a platform administrator to raise the budget or to change what it does; runs that wait start by "
                f"themselves then, or when the next period begins on {spend.period_end:%Y-%m-%d} (UTC).",
                link,
            )
        ]
    if known.exhausted:
        return [
            Item(
                "budget_exhausted",
                f"The budget of {written(spend.budget)} does not cover the next step; runs are waiting.",
                "Ask an administrator to raise the budget; they go on from their last checkpoint.",
                link,
            )
        ]
    used = float((spend.spent + spend.reserved) / spend.budget) if spend.budget else 0.0
    if used >= WARN_AT or spend.acts:
        return [
            Item(
                "budget_low",
                f"{share(used, 0)} of this period's budget is spent or reserved.",
                "Ask an administrator to raise the budget, or pause a model.",
                link,
            )
        ]
    return []


def _failed(tenant: Tenant, known: Facts) -> list[Item]:
    return [
        Item(
            "run_failed",
            f"A run of {run.owner} failed: {run.why}",
            "Open the run to see what it said.",
            f"/t/{tenant.slug}/runs/{run.id}",
        )
        for run in known.failed
    ]


def _rejected(tenant: Tenant, known: Facts) -> list[Item]:
    return [
        Item(
            "partition_rejected",
            f"A partition of {part.stream} from {part.start:%Y-%m-%d %H:%M} UTC was rejected: {part.why}",
            "Mend the file and upload the interval again.",
            f"/t/{tenant.slug}/data",
        )
        for part in known.rejected
    ]


def _model(tenant: Tenant, model: Watched) -> list[Item]:
    link = f"/t/{tenant.slug}/models/{model.id}"
    items = []
    lift, clipped = model.lift.value, model.teaching.clipped_share
    if model.harmed and lift is not None:
        items.append(
            Item(
                "lift_negative",
                f"The foundation model makes {model.name} worse: {signed(lift)} % NE.",
                "Choose the preset safe, or train without the foundation model.",
                link,
            )
        )
    if model.clipped and clipped is not None:
        items.append(
            Item(
                "labels_clipped",
                f"{share(clipped)} of the labels of {model.name} are cut at 1.",
                "Lower α: clipped labels lose their ranking.",
                link,
            )
        )
    return items
