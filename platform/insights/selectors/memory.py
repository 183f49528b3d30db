"""What a process remembers between requests: figures of lineages that have not grown since."""

import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from insights.selectors.comparisons import Comparison

V = TypeVar("V")


class Memory(Generic[V]):
    """A bounded memory of a value per model, that of the comparison it was made from. It asks no query itself."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[str, tuple[tuple[str | None, ...], V]] = OrderedDict()
        self._lock = threading.Lock()

    def recall(
        self, comparisons: Sequence[Comparison], load: Callable[[list[Comparison]], dict[uuid.UUID, V]]
    ) -> list[V | None]:
        """Return the value of each; `load` is asked once, for the comparisons that are new or have grown.

        None where nothing is committed, or where `load` knows nothing.
        """
        found: list[V | None] = []
        missing = []
        with self._lock:
            for place, row in enumerate(comparisons):
                held = self._held.get(row.model)
                if held is not None and held[0] == row.standing:
                    found.append(held[1])
                    self._held.move_to_end(row.model)
                    continue
                found.append(None)
                if row.control_head or row.treatment_head:
                    missing.append((place, row))
        if missing:
            fresh = load([row for _, row in missing])
            with self._lock:
                for place, row in missing:
                    if row.model_id in fresh:
                        found[place] = fresh[row.model_id]
                        self._held[row.model] = (row.standing, fresh[row.model_id])
                while len(self._held) > self._most:
                    self._held.popitem(last=False)
        return found
