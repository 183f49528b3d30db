"""The state machine of runs: which transitions exist, and the one guarded update that makes them.

A transition is `UPDATE … WHERE state IN (sources) AND lease_token = token`. Zero rows mean that the caller acts on a
stale view; it drops its work. Unleased states (queued, admitted) carry no token, so whoever holds no
lease can never touch a run that a supervisor works on.
"""

import uuid
from typing import Any, Final

from runs import endings
from runs.models import HELD_STATES, OPEN_STATES, Run, State

FINAL: Final = (State.SUCCEEDED, State.FAILED, State.CANCELLED)

TRANSITIONS: Final[dict[State, frozenset[State]]] = {
    State.QUEUED: frozenset({State.ADMITTED, State.CANCELLED}),
    State.ADMITTED: frozenset({State.STARTING, State.QUEUED, State.CANCELLED}),
    State.STARTING: frozenset({State.RUNNING, State.STOPPING, State.QUEUED, *FINAL}),
    State.RUNNING: frozenset({State.STOPPING, State.QUEUED, *FINAL}),
    State.STOPPING: frozenset({State.QUEUED, *FINAL}),
    State.SUCCEEDED: frozenset(),
    State.FAILED: frozenset(),
    State.CANCELLED: frozenset(),
}
"""From each state, where a run may go."""

LEASED: Final = (State.STARTING, State.RUNNING, State.STOPPING)
"""States in which an attempt supervisor holds the run."""

__all__ = ["HELD_STATES", "LEASED", "OPEN_STATES", "TRANSITIONS", "move", "sources_of"]


def sources_of(target: State) -> list[State]:
    """Return the states from which `target` may be reached."""
    return [source for source, targets in TRANSITIONS.items() if target in targets]


def move(*, run_id: uuid.UUID, to: State, token: uuid.UUID | None, **fields: Any) -> bool:
    """Make the transition if the run's state allows it and `token` is its lease; False = stale, nothing changed.

    `fields` are further columns of the run, set in the same statement. An end is told to the run's tenant.
    """
    rows = Run.objects.filter(id=run_id, state__in=sources_of(to))
    rows = rows.filter(lease_token__isnull=True) if token is None else rows.filter(lease_token=token)
    moved = rows.update(state=to, **fields) == 1
    if moved and to in FINAL:
        endings.tell(run_id, to)
    return moved
