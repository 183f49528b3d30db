"""What needs a hand: each item says what happened, how to mend it, and where."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from budgets.selectors import Spend
from catalog.models import Partition
from insights.selectors.lifts import LiftFigure
from insights.selectors.supervision import Teaching
from runs.models import Run, State
from tenancy.models import Tenant

CLIPPED = 0.01
WARN_AT = 0.8
RECENT = timedelta(days=7)


@dataclass(frozen=True)
class Item:
    """`link` is an address of the dashboard."""

    code: str
    message: str
    mend: str
    link: str


@dataclass(frozen=True)
class Watched:
    """A model and the figures that may need a hand."""

    id: uuid.UUID
    name: str
    lift: LiftFigure
    teaching: Teaching


def attention(*, tenant: Tenant, models: Iterable[Watched], spend: Spend) -> list[Item]:
    """Return the tenant's items, the most pressing first."""
    return [
        *_money(tenant, spend),
        *_failed(tenant),
        *_rejected(tenant),
        *(item for model in models for item in _model(tenant, model)),
    ]


def _money(tenant: Tenant, spend: Spend) -> list[Item]:
    link = f"/t/{tenant.slug}/costs"
    if Run.objects.filter(state=State.QUEUED, reason_code="budget_exhausted").exists():
        return [
            Item(
                "budget_exhausted",
                f"The budget of {spend.budget:.2f} {spend.currency} does not cover the next step; runs are waiting.",
                "Ask an administrator to raise the budget; they go on from their last checkpoint.",
                link,
            )
        ]
    if spend.budget and (spend.spent + spend.reserved) / spend.budget >= WARN_AT:
        return [
            Item(
                "budget_low",
                f"{(spend.spent + spend.reserved) / spend.budget:.0%} of this period's budget is spent or reserved.",
                "Ask an administrator to raise the budget, or pause a model.",
                link,
            )
        ]
    return []


def _failed(tenant: Tenant) -> list[Item]:
    failed = Run.objects.filter(state=State.FAILED, finished_at__gte=timezone.now() - RECENT).select_related("model")
    return [
        Item(
            "run_failed",
            f"A run of {run.model.name if run.model else run.kind} failed: {run.reason_message or run.reason_code}",
            "Open the run to see what it said.",
            f"/t/{tenant.slug}/runs/{run.id}",
        )
        for run in failed.order_by("-finished_at")[:3]
    ]


def _rejected(tenant: Tenant) -> list[Item]:
    rejected = Partition.objects.filter(state=Partition.State.REJECTED, created_at__gte=timezone.now() - RECENT)
    pressing = [
        partition
        for partition in rejected.select_related("stream").order_by("-created_at")[:20]
        if not Partition.objects.filter(stream_id=partition.stream_id, start__lt=partition.end, end__gt=partition.start)
        .exclude(state=Partition.State.REJECTED)
        .exists()
    ]
    return [
        Item(
            "partition_rejected",
            f"A partition of {partition.stream.name} from {partition.start:%Y-%m-%d %H:%M} UTC was rejected: "
            f"{partition.problems[0]['message'] if partition.problems else 'it does not fit the schema'}",
            "Mend the file and upload the interval again.",
            f"/t/{tenant.slug}/data",
        )
        for partition in pressing[:3]
    ]


def _model(tenant: Tenant, model: Watched) -> list[Item]:
    link = f"/t/{tenant.slug}/models/{model.id}"
    items = []
    if model.lift.high is not None and model.lift.high < 0:
        items.append(
            Item(
                "lift_negative",
                f"The foundation model makes {model.name} worse: {model.lift.value:+.2f} % NE.",
                "Choose the preset safe, or train without the foundation model.",
                link,
            )
        )
    if model.teaching.clipped_share is not None and model.teaching.clipped_share > CLIPPED:
        items.append(
            Item(
                "labels_clipped",
                f"{model.teaching.clipped_share:.1%} of the labels of {model.name} are cut at 1.",
                "Lower α: clipped labels lose their ranking.",
                link,
            )
        )
    return items
