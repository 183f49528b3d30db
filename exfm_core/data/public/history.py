"""What was known strictly before each event: counts, sums and latest items per key, never of the same second.

Logs of ratings or clicks hold many events of one user in one second; statistics "up to this row" then leak the row's
neighbours, and often its label. All functions here use strictly smaller times only. Torch-free.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def sums_before(key: Ints, time: Ints, values: Floats) -> Floats:
    """For each row, the column sums of ``values`` [rows, C] over rows of the same key with a smaller time.

    ``key`` and ``time`` [rows], in any order. Returns float64 [rows, C].
    """
    order = np.lexsort((time, key))
    sorted_key, sorted_time = key[order], time[order]
    running = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values[order], axis=0)])
    new_key = np.concatenate([[True], sorted_key[1:] != sorted_key[:-1]])
    new_time = new_key | np.concatenate([[True], sorted_time[1:] != sorted_time[:-1]])
    first_of_key = np.flatnonzero(new_key)[np.cumsum(new_key) - 1]
    first_of_time = np.flatnonzero(new_time)[np.cumsum(new_time) - 1]
    result = np.empty_like(values, dtype=np.float64)
    result[order] = running[first_of_time] - running[first_of_key]
    return result


def latest_before(key: Ints, time: Ints, item: Ints, chosen: npt.NDArray[np.bool_], count: int) -> tuple[Ints, Ints]:
    """For each row, the last ``count`` items of the same key's ``chosen`` rows with a smaller time, oldest first.

    Returns flat items and offsets [rows + 1]. Items of one second keep the order of the input.
    """
    order = np.lexsort((time, key))
    picked = order[chosen[order]]
    liked_before = sums_before(key, time, chosen.astype(np.float64)[:, None])[:, 0].astype(np.int64)
    first_of_key = np.searchsorted(key[picked], key, side="left")
    lengths = np.minimum(liked_before, count)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
    start = first_of_key + liked_before - lengths
    return item[picked[np.repeat(start, lengths) + within]], offsets
