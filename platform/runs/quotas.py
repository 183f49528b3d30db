"""The quota of concurrent runs in one pass of the dispatcher: what tenants may hold, do hold, and why not more."""

import uuid
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from django.db.models import Count

from runs.accounting import Refusal, accounting
from runs.models import HELD_STATES, Run

CODE: Final = "quota_concurrent_runs"


@dataclass
class Concurrency:
    """Runs that tenants may hold at once, and those that they hold; `add` counts what is admitted meanwhile.

    Only the dispatcher admits, one at a time, so what is held can but fall beside it: a pass admits too few at worst.
    """

    limits: dict[uuid.UUID, int]
    held: Counter[uuid.UUID]

    @classmethod
    def of(cls, waiting: Collection[Run]) -> "Concurrency":
        """Read both for the tenants of these runs; the platform's own have no quota."""
        tenants = {run.tenant_id for run in waiting if run.tenant_id is not None}
        if not tenants:
            return cls({}, Counter())
        holding = Run.objects.filter(tenant_id__in=tenants, state__in=HELD_STATES).order_by()
        counted = holding.values("tenant_id").annotate(number=Count("id")).values_list("tenant_id", "number")
        return cls(dict(accounting().concurrent_runs(tenant_ids=tenants)), Counter(dict(counted)))

    def refusal(self, run: Run) -> Refusal | None:
        """Return why the run's tenant may not hold one more, or None."""
        if run.tenant_id is None:
            return None
        limit, held = self.limits[run.tenant_id], self.held[run.tenant_id]
        return Refusal(CODE, _sentence(limit, held)) if held >= limit else None

    def add(self, run: Run) -> None:
        """Count a run that has just been admitted."""
        if run.tenant_id is not None:
            self.held[run.tenant_id] += 1


def _sentence(limit: int, held: int) -> str:
    if limit == 0:
        return "The tenant's quota allows no run; it starts once an administrator raises the quota."
    quota = f"{limit} concurrent run{'s' if limit > 1 else ''}"
    ends = "it ends" if held == 1 else "one of them ends" if held == limit else f"{held - limit + 1} of them end"
    return (
        f"The tenant's quota is {quota} and {held} {'is' if held == 1 else 'are'} held; it starts when {ends}, or once "
        "an administrator raises the quota."
    )
