"""Money is Decimal with six places, in one currency per installation. Rounding is named, never left to chance."""

from collections.abc import Hashable, Mapping
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import TypeVar

from config import env

UNIT = Decimal("0.000001")
ZERO = Decimal(0)

K = TypeVar("K", bound=Hashable)


def currency() -> str:
    """Return the installation's currency (EXFM_CURRENCY, USD by default)."""
    return env.text("EXFM_CURRENCY", "USD")


def written(amount: Decimal) -> str:
    """Return an amount for people, with the digits that matter: cents, of less than ten cents four places, then six."""
    size = abs(amount)
    digits = 2 if not size or size >= Decimal("0.1") else 4 if size >= Decimal("0.001") else 6
    return f"{amount:,.{digits}f} {currency()}"


def exactly(amount: Decimal) -> str:
    """Return an amount for people who check sums: every digit it has, but cents at least."""
    cents = amount.quantize(Decimal("0.01"))
    return f"{cents if cents == amount else amount.normalize():,f} {currency()}"


def seconds(value: float) -> Decimal:
    """Return device-seconds with six places, never below zero."""
    return max(ZERO, Decimal(str(value)).quantize(UNIT, ROUND_HALF_UP))


def charge(device_seconds: Decimal, rate: Decimal) -> Decimal:
    """Return what the device-seconds cost."""
    return (device_seconds * rate).quantize(UNIT, ROUND_HALF_UP)


def cap(device_seconds: Decimal, rate: Decimal) -> Decimal:
    """Return a bound that no charge for that many device-seconds, settled in one line or several, exceeds."""
    return (device_seconds * rate).quantize(UNIT, ROUND_CEILING) + 8 * UNIT


def largest_remainder(total: Decimal, weights: Mapping[K, int]) -> dict[K, Decimal]:
    """Split `total` in proportion to `weights` so that the parts, in units of 0.000001, sum to it exactly.

    Ties go to the key that comes first in `weights`. Without a positive weight the answer is empty: nobody pays.
    """
    held = {key: weight for key, weight in weights.items() if weight > 0}
    if not held:
        return {}
    units, of = int((total / UNIT).to_integral_exact()), sum(held.values())
    parts = {key: divmod(units * weight, of) for key, weight in held.items()}
    left = units - sum(floor for floor, _ in parts.values())
    first = set(sorted(parts, key=lambda key: -parts[key][1])[:left])
    return {key: (floor + (key in first)) * UNIT for key, (floor, _) in parts.items()}
