"""Ids to rows of one table, without collisions: rows of ids that left go to ids that come. Torch-free.

A feature with `managed: true` gives every id a row of its own. When all rows are taken, the id that was absent longest
(least recently used, by batch; ties by row number) gives its row up, and the row starts again from initial values:
nothing is inherited. Recency, not frequency, because what leaves a stream (ads, campaigns, users) leaves for good, and
a count would keep yesterday's most frequent ids for as long as it took them to get there.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from exfm_core.data.hashing import splitmix64
from exfm_core.errors import CheckpointError, DataError

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

NO_ROW: Final = -1
"""What an id without a row gets: an empty bag."""
_FREE, _GONE = np.int64(-1), np.int64(-2)
_VICTIMS: Final = 16
"""One search over all rows finds this part of them as the next to go: its cost is spread over as many ids."""


class IdMap:
    """`capacity` rows for ids ≥ 0. Memory: 24 bytes a row, and 24 to 48 for the look-up."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._ids = np.full(capacity, _FREE)
        self._used = np.zeros(capacity, np.int64)
        self._clock = 0
        self._rows = 0
        self._victims: Ints = np.empty(0, np.int64)
        self._index()

    def __len__(self) -> int:
        """Ids that have a row now."""
        return self._rows

    def look_up(self, ids: Ints) -> Ints:
        """The row of each id, NO_ROW for an unknown one. Changes nothing."""
        return self._find(ids)[0]

    def admit(self, ids: Ints) -> tuple[Ints, Ints]:
        """Rows of one batch's ids, and those of its rows that must start from initial values (`initial_rows`).

        New ids get free rows, then the rows of the ids that were absent longest; never a row that this batch needs.
        Where a batch has more distinct ids than the table has rows, the greatest new ids get NO_ROW.
        Raises DataError for an id below 0.
        """
        if ids.size and int(ids.min()) < 0:
            raise DataError("data.id_out_of_range", f"The id {int(ids.min())} is below 0.", "Ids are whole numbers.")
        self._clock += 1
        rows, _ = self._find(ids)
        known = rows >= 0
        self._used[rows[known]] = self._clock
        if known.all():
            return rows, np.empty(0, np.int64)
        fresh_ids, place = np.unique(ids[~known], return_inverse=True)
        given = self._make_room(len(fresh_ids))
        taken = fresh_ids[: len(given)]
        self._ids[given], self._used[given] = taken, self._clock
        self._insert(taken, given)
        rows[~known] = np.concatenate([given, np.full(len(fresh_ids) - len(given), NO_ROW)])[place]
        return rows, given

    def ids_of(self, rows: Ints) -> Ints:
        """The id that has each row, −1 where none has it."""
        return self._ids[rows]

    def state(self) -> dict[str, Ints]:
        """Everything that a resumed map needs: `ids` and `used` [capacity], `clock` [1]. Copies."""
        return {"ids": self._ids.copy(), "used": self._used.copy(), "clock": np.array([self._clock])}

    def load(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Become the map that `state` was taken of; without `used` and `clock`, one that only looks up.

        Raises CheckpointError if it belongs to a table of another size or holds an id twice.
        """
        ids = np.asarray(state["ids"], np.int64)
        used = np.asarray(state.get("used", np.zeros(self.capacity)), np.int64)
        known = ids[ids >= 0]
        if ids.shape != (self.capacity,) or used.shape != ids.shape or len(np.unique(known)) != len(known):
            raise CheckpointError(
                "checkpoint.ids",
                f"The ids of {ids.shape[0] if ids.ndim else 0} rows do not fit a table of {self.capacity}.",
                "A lineage goes on only with the spec it began with: open a new one.",
            )
        self._ids, self._used = ids.copy(), used.copy()
        self._clock = int(np.asarray(state.get("clock", [0]))[0])
        self._rows = len(known)
        if (ids[: self._rows] < 0).any():
            raise CheckpointError("checkpoint.ids", "The ids are not in their first rows.", "Use another checkpoint.")
        self._victims = np.empty(0, np.int64)
        self._index()

    # --- which row goes ----------------------------------------------------------------------------------------------

    def _make_room(self, count: int) -> Ints:
        """Up to `count` rows without an id, in a fixed order: never used ones first, then those absent longest."""
        unused = np.arange(self._rows, min(self._rows + count, self.capacity))
        self._rows += len(unused)
        parts, missing = [unused], count - len(unused)
        while missing:
            victims = self._oldest(missing)
            if not len(victims):
                break
            self._forget(victims)
            parts.append(victims)
            missing -= len(victims)
        return np.concatenate(parts)

    def _oldest(self, count: int) -> Ints:
        """Up to `count` of the rows absent longest, but none that is older only than rows not searched yet."""
        if not len(self._victims):
            idle = np.flatnonzero((self._used < self._clock) & (self._ids >= 0))
            share = min(len(idle), max(count, self.capacity // _VICTIMS))
            if share:
                age = self._used[idle]
                bound = np.partition(age, share - 1)[share - 1]
                idle = idle[age <= bound]
                order = np.argsort(self._used[idle], kind="stable")
                self._victims = idle[order]
                self._ages = self._used[self._victims]
        # A row that was used since the search is young again: it is no longer among the oldest.
        still = np.flatnonzero(self._used[self._victims] == self._ages) if len(self._victims) else np.empty(0, np.int64)
        chosen, rest = still[:count], still[count:]
        victims = self._victims[chosen]
        self._victims, self._ages = self._victims[rest], self._ages[rest] if len(rest) else np.empty(0, np.int64)
        if not len(victims) and ((self._used < self._clock) & (self._ids >= 0)).any():
            return self._oldest(count)
        return victims

    # --- the look-up: open addressing with linear probing ------------------------------------------------------------

    def _index(self) -> None:
        """Build the look-up anew: at most half of it full, nothing marked as gone."""
        size = 1 << max(4, (2 * self.capacity - 1).bit_length())
        self._mask = np.uint64(size - 1)
        self._keys = np.full(size, _FREE)
        self._row_of = np.zeros(size, np.int32 if self.capacity < 2**31 else np.int64)
        self._slot_of = np.zeros(self.capacity, np.int64)
        self._filled = 0
        rows = np.flatnonzero(self._ids >= 0)
        self._insert(self._ids[rows], rows)

    def _find(self, ids: Ints) -> tuple[Ints, Ints]:
        """Row and slot of each id; NO_ROW where it has none."""
        rows = np.full(len(ids), NO_ROW, np.int64)
        slots = (splitmix64(ids) & self._mask).astype(np.int64)
        keys = self._keys[slots]
        hit = keys == ids
        rows[hit] = self._row_of[slots[hit]]
        open_ = np.flatnonzero(~hit & (keys != _FREE))
        mask = int(self._mask)
        while open_.size:
            slots[open_] = (slots[open_] + 1) & mask
            keys = self._keys[slots[open_]]
            hit = keys == ids[open_]
            rows[open_[hit]] = self._row_of[slots[open_[hit]]]
            open_ = open_[~hit & (keys != _FREE)]
        return rows, slots

    def _insert(self, ids: Ints, rows: Ints) -> None:
        """Enter ids that are not in the look-up, each once."""
        if (self._filled + len(ids)) * 8 > len(self._keys) * 5 and self._filled:
            self._index()  # enters them too: `_ids` has them
            return
        self._filled += len(ids)
        slots = (splitmix64(ids) & self._mask).astype(np.int64)
        mask = int(self._mask)
        left = np.arange(len(ids))
        while left.size:
            at = slots[left]
            free = self._keys[at] == _FREE
            self._keys[at[free]] = ids[left[free]]
            won = self._keys[at] == ids[left]  # of two that found one slot free, the later one has it
            self._row_of[at[won]] = rows[left[won]]
            self._slot_of[rows[left[won]]] = at[won]
            left = left[~won]
            slots[left] = (slots[left] + 1) & mask

    def _forget(self, rows: Ints) -> None:
        self._keys[self._slot_of[rows]] = _GONE
        self._ids[rows] = _FREE


def initial_rows(ids: Ints, dim: int, seed: int, table: str, spread: float) -> Floats:
    """Initial vectors [len(ids), dim] ~ N(0, spread²): a function of seed, table and id alone.

    So an id starts from the same vector whichever row it gets, in every arm, and whenever it comes back. Box and
    Muller's transform of SplitMix words.
    """
    pairs = (dim + 1) // 2
    salt = splitmix64(np.full(1, (seed << 32) | zlib.crc32(table.encode()), np.uint64))
    keys = splitmix64(ids.astype(np.uint64) ^ salt)
    words = splitmix64(keys[:, None] + np.arange(2 * pairs, dtype=np.uint64) * np.uint64(0xD1342543DE82EF95))
    uniform = ((words >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53
    radius = np.sqrt(-2.0 * np.log(uniform[:, :pairs]))
    angle = 2.0 * np.pi * uniform[:, pairs:]
    both = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)], axis=1)[:, :dim]
    return np.asarray(spread * both, dtype=np.float32)
