"""Index of a log for questions about the strict past: counts in windows, first and last events per key. Torch-free.

Every answer about time t uses events with a time smaller than t: events at t itself, the asking one among them, are
the present. Answers never depend on what comes later in the log.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


class Past:
    """Events of a log by key and time. ``keys`` ≥ 0 and ``times`` ≥ 0 [events], sorted or not; int64.

    The product of the number of keys and the largest time must stay below 2^63.
    """

    def __init__(self, keys: Ints, times: Ints) -> None:
        self._span = int(times.max(initial=0)) + 1
        if (int(keys.max(initial=0)) + 1) * self._span >= 2**63:
            raise OverflowError("keys and times do not fit into 63 bits together")
        words = keys * self._span + times
        self.order = np.argsort(words, kind="stable")
        """Event at each place of the index."""
        self._words = words[self.order]

    def end(self, keys: Ints, times: Ints) -> Ints:
        """Place after the last event of each key before each time; times beyond the log mean its end."""
        return np.searchsorted(self._words, keys * self._span + np.clip(times, 0, self._span))

    def start(self, keys: Ints) -> Ints:
        """Place of the first event of each key."""
        return np.searchsorted(self._words, keys * self._span)

    def time_at(self, places: Ints) -> Ints:
        """Time of the event at each place; places beyond the index read its last event."""
        return self._words[np.minimum(places, len(self._words) - 1)] % self._span


def first_times(keys: Ints, times: Ints) -> tuple[Ints, Ints]:
    """Return the distinct keys, sorted, and the earliest time of each."""
    order = np.lexsort((times, keys))
    known, first = np.unique(keys[order], return_index=True)
    return known, times[order][first]


def happened_before(known: Ints, first: Ints, keys: Ints, times: Ints) -> npt.NDArray[np.bool_]:
    """Whether each key occurred before each time, given ``first_times``."""
    place = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return np.asarray((known[place] == keys) & (first[place] < times))
