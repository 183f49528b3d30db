"""Encoded rows in memory: concatenated, re-ordered, cut into a model's inputs."""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from exfm_core.data.dense import squash
from exfm_core.data.encode import Block
from exfm_core.models.inputs import Inputs

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Rows:
    """N encoded rows. Sparse feature f: embedding rows `values[f]`, bags `offsets[f]` [N + 1]. `dense` [N, n] squashed,
    `labels` [N, T] with NaN for a task the row does not have, `slots` [N] tenant slots (0 = unseen)."""

    values: tuple[Ints, ...]
    offsets: tuple[Ints, ...]
    dense: Floats
    labels: Floats
    buckets: npt.NDArray[np.int16]
    held_back: npt.NDArray[np.bool_]
    times: Ints
    slots: Ints

    @classmethod
    def of(cls, block: Block, slot: int = 0) -> "Rows":
        """The rows of a block of one tenant."""
        return cls(
            block.values,
            block.offsets,
            squash(block.dense),
            block.labels,
            block.user_buckets,
            block.held_back,
            block.event_time_us,
            np.full(block.rows, slot, np.int64),
        )

    def __len__(self) -> int:
        return len(self.times)

    def take(self, order: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> "Rows":
        """The rows at `order` (positions, or a mask)."""
        positions = np.flatnonzero(order) if order.dtype == np.bool_ else np.asarray(order, np.int64)
        picked = [_take_bags(v, o, positions) for v, o in zip(self.values, self.offsets, strict=True)]
        return Rows(
            tuple(values for values, _ in picked),
            tuple(offsets for _, offsets in picked),
            self.dense[positions],
            self.labels[positions],
            self.buckets[positions],
            self.held_back[positions],
            self.times[positions],
            self.slots[positions],
        )

    @classmethod
    def concatenate(cls, parts: Sequence["Rows"]) -> "Rows":
        """All rows of `parts`, which must not be empty, in their order."""
        if len(parts) == 1:
            return parts[0]
        fields = range(len(parts[0].values))
        return cls(
            tuple(np.concatenate([part.values[f] for part in parts]) for f in fields),
            tuple(_join_offsets([part.offsets[f] for part in parts]) for f in fields),
            np.concatenate([part.dense for part in parts]),
            np.concatenate([part.labels for part in parts]),
            np.concatenate([part.buckets for part in parts]),
            np.concatenate([part.held_back for part in parts]),
            np.concatenate([part.times for part in parts]),
            np.concatenate([part.slots for part in parts]),
        )


def _take_bags(values: Ints, offsets: Ints, positions: Ints) -> tuple[Ints, Ints]:
    starts, lengths = offsets[positions], offsets[positions + 1] - offsets[positions]
    ends = np.concatenate([[0], np.cumsum(lengths)])
    places = np.repeat(starts - ends[:-1], lengths) + np.arange(ends[-1])
    return values[places], ends


def _join_offsets(parts: list[Ints]) -> Ints:
    shifts = np.cumsum([0, *(part[-1] for part in parts[:-1])])
    return np.concatenate([[0], *(part[1:] + shift for part, shift in zip(parts, shifts, strict=True))])


@functools.lru_cache(maxsize=8)
def _counting(count: int) -> torch.Tensor:
    """0, 1, 2 … [count]; not to be written to. Batches mostly have one size, and counting is slower than reading."""
    return torch.arange(count)


class Cutter:
    """Cuts rows into batches of model inputs. Where every bag holds one id, a batch's ids are copied once."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        single = np.arange(len(rows) + 1)
        self.dense = torch.tensor(rows.dense)
        distinct = {id(offsets): offsets for offsets in rows.offsets}.values()  # columns of one id share theirs
        self._single = all(np.array_equal(offsets, single) for offsets in distinct)

    def inputs(self, start: int, stop: int) -> Inputs:
        """Rows [start, stop)."""
        dense = self.dense[start:stop]
        if self._single and self._rows.values:
            indices = np.concatenate([values[start:stop] for values in self._rows.values])
            return Inputs(torch.from_numpy(indices), _counting(len(indices) + 1), dense)
        rows = self._rows
        values = [v[o[start] : o[stop]] for v, o in zip(rows.values, rows.offsets, strict=True)]
        lengths = np.concatenate([o[start + 1 : stop + 1] - o[start:stop] for o in rows.offsets])
        offsets = np.zeros(len(lengths) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        return Inputs(torch.from_numpy(np.concatenate(values)), torch.from_numpy(offsets), dense)


def spans(rows: int, batch_size: int) -> Iterator[tuple[int, int]]:
    """[start, stop) of each batch."""
    for start in range(0, rows, batch_size):
        yield start, min(start + batch_size, rows)


def keyed_jagged(inputs: Inputs, names: Sequence[str]) -> Any:
    """The batch as TorchRec's KeyedJaggedTensor over the same memory; `names`: the sparse features in order.

    Its ids are embedding rows already. Read what it pools by name: a sharded plan may change the order of its keys.
    """
    # Imported here: TorchRec costs 1.8 s, and training on one process does not need it.
    from torchrec import KeyedJaggedTensor

    return KeyedJaggedTensor(
        list(names), inputs.indices, lengths=inputs.offsets.diff(), offsets=inputs.offsets, stride=inputs.rows
    )
