"""The port through which runs meet money. `budgets` stands above `runs`, so it registers itself here at start-up."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from runs.models import Attempt, Run, WorkClaim


@dataclass(frozen=True)
class Refusal:
    """Why money was refused: a stable code and a sentence for the waiting run."""

    code: str
    message: str


@dataclass(frozen=True)
class Held:
    """Device-seconds held since the last settlement, split by ledger line (e.g. training, measurement)."""

    seconds_by_line: dict[str, float]


@dataclass(frozen=True)
class RunCost:
    """A statement without placeholders that gives one row for each run `r`, and the currency.

    Its columns are `spent`, what the run has cost its owner so far, `measurement`, the control arm's part of it, and
    `reserved`, what is reserved for it now.
    """

    statement: str
    currency: str


class Accounting(Protocol):
    """What runs need from budgets. Every call happens inside the caller's transaction."""

    def concurrent_runs(self, *, tenant_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, int]:
        """Return how many runs each of these tenants may hold at once."""

    def held_back(self, *, runs: Collection[Run], now: datetime) -> Mapping[uuid.UUID, Refusal]:
        """Return, by run, why it may not start whatever is free: its tenant's budget holds runs back."""

    def reserve(self, *, run: Run, device_seconds: float) -> Refusal | None:
        """Raise the run's reservation to cover `device_seconds` more; None = granted."""

    def settle(self, *, run: Run, attempt: Attempt, claim: WorkClaim | None, held: Held) -> None:
        """Charge what was held (never more than reserved) and write usage and ledger rows."""

    def release(self, *, run: Run) -> None:
        """Give back whatever the run still has reserved."""

    def cost_of_run(self) -> RunCost:
        """Return how a statement over `runs_run r` reads what each run has cost."""


_accounting: Accounting | None = None


def register(accounting: Accounting) -> None:
    """Called once by `budgets` when Django starts."""
    global _accounting
    _accounting = accounting


def accounting() -> Accounting:
    """Return the registered accounting; its absence is a configuration error."""
    if _accounting is None:
        raise RuntimeError("no accounting is registered: `budgets` must be in INSTALLED_APPS")
    return _accounting
