"""How long a unit of work may hold its device: from rows and the measured rate, with margin. Reservations cover it."""

from datetime import datetime
from typing import Final

from runs.accounting import Refusal, accounting
from runs.models import Attempt, Kind, Run, WorkClaim
from runs.outcomes import unsettled_seconds

MARGIN: Final = 4.0
FLOOR_SECONDS: Final = 60.0
START_SECONDS: Final = 60.0
"""Held before the first row: imports and loading a checkpoint."""
GRACE_SECONDS: Final = 15.0

FIRST_GUESS: Final[dict[str, float]] = {Kind.VM_TRAIN: 500.0, Kind.FM_TRAIN: 500.0, Kind.DAS_SCORE: 2000.0}
"""Rows per second before anything was measured; low on purpose."""


def measured_rate(run: Run) -> float:
    """Return rows per second of the newest committed work like this run's, or a low first guess."""
    claims = WorkClaim.objects.filter(kind=run.kind, committed_at__isnull=False, result__seconds__gt=0)
    if run.model_id is not None:
        claims = claims.filter(run__model_id=run.model_id)
    else:
        claims = claims.filter(run__foundation_model_id=run.foundation_model_id)
    result = claims.order_by("-committed_at").values_list("result", flat=True).first()
    if not result or not result.get("rows"):
        return FIRST_GUESS[run.kind]
    return max(1.0, float(result["rows"]) / float(result["seconds"]))


def hard_cap_seconds(*, rows: int, rate: float) -> float:
    """Return the device-seconds after which a unit of work is killed."""
    return FLOOR_SECONDS + MARGIN * rows / rate


def reserve_admission(*, run: Run, rows: int) -> Refusal | None:
    """Reserve what start-up and the first unit may cost; None = granted."""
    seconds = START_SECONDS + hard_cap_seconds(rows=rows, rate=measured_rate(run)) + run.idle_seconds + GRACE_SECONDS
    return accounting().reserve(run=run, device_seconds=seconds)


def extend_reservation(*, run: Run, attempt: Attempt, rows: int, now: datetime) -> tuple[Refusal | None, float]:
    """Cover what is held and unsettled plus the next unit's hard cap; return (refusal, hard cap in seconds)."""
    cap = hard_cap_seconds(rows=rows, rate=measured_rate(run))
    seconds = unsettled_seconds(attempt, now) + cap + run.idle_seconds + GRACE_SECONDS
    return accounting().reserve(run=run, device_seconds=seconds), cap
