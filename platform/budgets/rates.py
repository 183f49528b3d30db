"""Dated rates: what a device-second of a flavor costs at a moment."""

from datetime import UTC, datetime
from decimal import Decimal

from budgets import errors
from budgets.models import Rate

DEFAULTS = {"cpu": Decimal("0.0001")}
"""Per device-second: 0.36 per hour of a CPU slot. Seeded after `migrate`; operators add dated rates of their own."""

_FROM = datetime(2020, 1, 1, tzinfo=UTC)


def rate_at(*, flavor: str, at: datetime) -> Decimal:
    """Return the rate in force; DomainError if the flavor has none."""
    row = Rate.objects.filter(flavor=flavor, effective_from__lte=at).order_by("-effective_from").first()
    if row is None:
        raise errors.no_rate(flavor)
    return row.per_device_second


def seed() -> None:
    """Give each known flavor its default rate where it has none at all."""
    for flavor, rate in DEFAULTS.items():
        if not Rate.objects.filter(flavor=flavor).exists():
            Rate.objects.create(flavor=flavor, per_device_second=rate, effective_from=_FROM)
