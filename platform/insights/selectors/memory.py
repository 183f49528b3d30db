"""What a process remembers between requests: figures of lineages that have not grown since.

Sums are append-only, so the number of a lineage's rows is the version of everything computed from them.
"""

import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from django.db.models import Count

from insights.selectors.comparisons import Comparison
from runs.models import MetricSums

V = TypeVar("V")
Stamp = tuple[int, int]


def stamps(comparisons: Iterable[Comparison]) -> dict[uuid.UUID, Stamp]:
    """Return, by model, how many rows of sums each of its two arms has in scope."""
    held = list(comparisons)
    arms = [arm for comparison in held for arm in (comparison.control, comparison.treatment) if arm is not None]
    rows = MetricSums.objects.filter(lineage_id__in=arms).order_by().values_list("lineage_id").annotate(Count("id"))
    counts: dict[uuid.UUID | None, int] = dict(rows)
    return {row.model_id: (counts.get(row.control, 0), counts.get(row.treatment, 0)) for row in held}


class Memory(Generic[V]):
    """A bounded memory of one value per comparison, asked for many comparisons at once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[Comparison, tuple[Stamp, V]] = OrderedDict()
        self._lock = threading.Lock()

    def recall(
        self, comparisons: Iterable[Comparison], load: Callable[[list[Comparison]], dict[uuid.UUID, V]]
    ) -> dict[uuid.UUID, V]:
        """Return model -> value; `load` is asked once, for the comparisons that are new or have grown."""
        asked = list(comparisons)
        now = stamps(asked)
        found: dict[uuid.UUID, V] = {}
        with self._lock:
            for row in asked:
                if row in self._held and self._held[row][0] == now[row.model_id]:
                    found[row.model_id] = self._held[row][1]
                    self._held.move_to_end(row)
        missing = [row for row in asked if row.model_id not in found and any(now[row.model_id])]
        if missing:
            fresh = load(missing)
            with self._lock:
                for row in missing:
                    if row.model_id in fresh:
                        self._held[row] = (now[row.model_id], fresh[row.model_id])
                while len(self._held) > self._most:
                    self._held.popitem(last=False)
            found.update(fresh)
        return found
