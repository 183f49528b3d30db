"""What a process remembers between requests: figures of lineages that have not grown since."""

import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from insights.selectors.comparisons import Comparison

V = TypeVar("V")


class Memory(Generic[V]):
    """A bounded memory of one value per comparison, asked for many comparisons at once. It asks no query itself."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[Comparison, tuple[tuple[int, int], V]] = OrderedDict()
        self._lock = threading.Lock()

    def recall(
        self, comparisons: Iterable[Comparison], load: Callable[[list[Comparison]], dict[uuid.UUID, V]]
    ) -> dict[uuid.UUID, V]:
        """Return model -> value; `load` is asked once, for the comparisons that are new or have grown."""
        asked = list(comparisons)
        found: dict[uuid.UUID, V] = {}
        with self._lock:
            for row in asked:
                if row in self._held and self._held[row][0] == row.stamp:
                    found[row.model_id] = self._held[row][1]
                    self._held.move_to_end(row)
        missing = [row for row in asked if row.model_id not in found and any(row.stamp)]
        if missing:
            fresh = load(missing)
            with self._lock:
                for row in missing:
                    if row.model_id in fresh:
                        self._held[row] = (row.stamp, fresh[row.model_id])
                while len(self._held) > self._most:
                    self._held.popitem(last=False)
            found.update(fresh)
        return found
