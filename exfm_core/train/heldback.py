"""Held-back rows of the newest periods, kept so that small periods can be judged together.

No foundation model ever trains on these users, so their older rows stay honest: candidate and current snapshot are
both evaluated on them anew. What is kept is bounded, and a tenant whose stream is not in a period's manifest (it
withdrew, or was late) loses what was kept of it.
"""

from typing import Final

import numpy as np
import torch
from torch import Tensor

from exfm_core.errors import CheckpointError
from exfm_core.train.rows import Ints, Rows

MAX_PERIODS: Final = 8
MAX_ROWS: Final = 20_000
_PREFIX: Final = "held."


class KeptRows:
    """Held-back rows by period, newest first; at most 8 periods and 20,000 rows, whole periods only."""

    def __init__(self) -> None:
        self.periods: list[Rows] = []

    def with_newest(self, newest: Rows | None, slots: frozenset[int]) -> tuple[Rows | None, Ints]:
        """All rows of tenant `slots` with each row's age in periods: 0 for `newest`, 1 for the one before it."""
        parts = [(0, newest), *((age, _of(rows, slots)) for age, rows in enumerate(self.periods, 1))]
        found = [(age, rows) for age, rows in parts if rows is not None and len(rows)]
        if not found:
            return None, np.empty(0, np.int64)
        ages = np.concatenate([np.full(len(rows), age, np.int64) for age, rows in found])
        return Rows.concatenate([rows for _, rows in found]), ages

    def push(self, newest: Rows | None, slots: frozenset[int]) -> None:
        """Keeps a period's rows, drops tenants that are not in `slots`, then what is beyond the bounds."""
        parts = [newest, *(_of(rows, slots) for rows in self.periods)]
        kept: list[Rows] = []
        total = 0
        for rows in parts:
            total += 0 if rows is None else len(rows)
            if len(kept) == MAX_PERIODS or total > MAX_ROWS:
                break
            if rows is not None and len(rows):
                kept.append(rows)
        self.periods = kept

    def tensors(self) -> dict[str, Tensor]:
        """What a checkpoint stores; empty where nothing is kept."""
        found: dict[str, Tensor] = {}
        for age, rows in enumerate(self.periods):
            head = f"{_PREFIX}{age}."
            for f, (values, offsets) in enumerate(zip(rows.values, rows.offsets, strict=True)):
                found[f"{head}values.{f}"] = torch.from_numpy(values)
                found[f"{head}offsets.{f}"] = torch.from_numpy(offsets)
            for name in _COLUMNS:
                found[head + name] = torch.from_numpy(np.ascontiguousarray(getattr(rows, name)))
        return found

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Restores what `tensors` stored. Raises CheckpointError if a part is missing."""
        ages = {int(name.split(".")[1]) for name in tensors if name.startswith(_PREFIX)}
        try:
            self.periods = [_read(tensors, f"{_PREFIX}{age}.") for age in range(len(ages))]
        except KeyError as error:
            raise CheckpointError(
                "checkpoint.heldback", f"The checkpoint's held-back rows lack {error}.", "Use the one before it."
            ) from error


_COLUMNS: Final = ("dense", "labels", "buckets", "held_back", "times", "slots")


def _of(rows: Rows, slots: frozenset[int]) -> Rows:
    mine = np.isin(rows.slots, np.array(sorted(slots), np.int64))
    return rows if mine.all() else rows.take(mine)


def _read(tensors: dict[str, Tensor], head: str) -> Rows:
    fields = sum(name.startswith(f"{head}values.") for name in tensors)
    values = tuple(tensors[f"{head}values.{f}"].numpy() for f in range(fields))
    offsets = tuple(tensors[f"{head}offsets.{f}"].numpy() for f in range(fields))
    dense, labels, buckets, held_back, times, slots = (tensors[head + name].numpy() for name in _COLUMNS)
    return Rows(values, offsets, dense, labels, buckets, held_back, times, slots)
