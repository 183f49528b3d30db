"""How much work a run still has in sight, for its ETA. An estimate: sealed data only."""

from dataclasses import dataclass

from catalog.models import Partition
from runs.models import Kind, Run, WorkClaim
from runs.periods import feeding_streams, to_come
from runs.progression import ahead, places
from runs.scoring import wanted


@dataclass(frozen=True)
class Outlook:
    """Units and rows that are sealed and will follow the current unit."""

    units: int
    rows: int


def outlook(run: Run, current: WorkClaim) -> Outlook:
    """Return what follows the current claim of the run."""
    rest: list[Partition] = []
    if run.kind == Kind.VM_TRAIN and run.model is not None and current.lineage is not None:
        rest = ahead(places({0: current.lineage}, {0: (run.model.stream_id, run.model.train_from)}))[0]
    elif run.kind == Kind.DAS_SCORE and run.foundation_model is not None:
        rest = wanted(run.foundation_model)
    elif current.lineage is not None and current.period_end is not None:
        later = to_come(current.lineage, feeding_streams(current.lineage))
        rest = [p for p in later if p.state == Partition.State.SEALED and p.end > current.period_end]
        return Outlook(len({p.end for p in rest}), sum(p.rows or 0 for p in rest))
    rest = [p for p in rest if p.id != current.partition_id]
    return Outlook(len(rest), sum(p.rows or 0 for p in rest))
