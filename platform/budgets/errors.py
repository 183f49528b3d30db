"""What can be wrong with a budget or a quota, each with the step that mends it."""

from datetime import datetime
from decimal import Decimal

from budgets.money import currency
from tenancy.errors import Conflict, DomainError, Invalid, NotFound


def reason_missing() -> DomainError:
    """An administrator's edit without a stated reason."""
    return Invalid("reason_missing", "A change of limits needs a reason.", "Say why in `reason`.", field="reason")


def not_positive(amount: Decimal) -> DomainError:
    """A negative budget."""
    return Invalid("amount_negative", f"{amount} is below zero.", "Give an amount of zero or more.", field="amount")


def unknown_action(action: str, known: list[str]) -> DomainError:
    """Something that a budget cannot do."""
    return Invalid("action_unknown", f"A budget cannot {action!r}.", f"Actions: {', '.join(known)}.", field="action")


def bad_percent(percent: object) -> DomainError:
    """A part of a budget that is no whole percentage."""
    return Invalid(
        "act_percent_invalid",
        f"A budget cannot act at {percent!r} percent of its amount.",
        "Give a whole number from 1 to 100.",
        field="act_percent",
    )


def below_committed(amount: Decimal, spent: Decimal, reserved: Decimal) -> DomainError:
    """The new budget is below what is spent and reserved already."""
    unit = currency()
    return Conflict(
        "budget_below_committed",
        f"{amount} {unit} is below what is committed: {spent} {unit} spent + {reserved} {unit} reserved.",
        f"Give at least {spent + reserved} {unit}, or stop runs first so that their reservations are released.",
        field="amount",
    )


def no_budget(slug: str) -> DomainError:
    """The tenant has no budget in this period."""
    return NotFound("budget_not_found", f"{slug} has no budget in this period.", "Set one with PUT.")


def account_exists(slug: str) -> DomainError:
    """The tenant has a budget already."""
    return Conflict("account_exists", f"{slug} has a budget already.", "Change its budget instead.")


def unknown_limit(names: list[str], known: list[str]) -> DomainError:
    """A quota that does not exist."""
    return Invalid(
        "quota_unknown",
        f"There is no quota {', '.join(map(repr, names))}.",
        f"Quotas: {', '.join(known)}.",
        field="quota",
    )


def bad_limit(name: str, value: object) -> DomainError:
    """A quota that is no whole number of at least zero."""
    return Invalid("quota_invalid", f"The quota {name} is {value!r}.", "Give a whole number, zero or more.", field=name)


def no_rate(flavor: str) -> DomainError:
    """A device flavor that nobody priced."""
    return DomainError("no_rate", f"Devices of flavor {flavor!r} have no rate.", "Add a rate in the admin site.")


def rate_exists(flavor: str, start: datetime) -> DomainError:
    """Two rates for one flavor from the same moment."""
    return Conflict("rate_exists", f"{flavor} has a rate from {start.isoformat()} already.", "Choose another moment.")


def period_open(end: datetime) -> DomainError:
    """The allocation of a period that is not over."""
    return Conflict("period_open", f"The period ends at {end.isoformat()}.", "Close it after that.")
