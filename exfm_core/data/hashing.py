"""The one place for hashing: embedding rows, user buckets of the bootstrap, held-back users. Torch-free.

All arrays are one-dimensional; ids are int64 and read as unsigned 64-bit words.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

USER_BUCKETS = 256
"""K of METHOD §3: the bootstrap resamples this many hash-of-user buckets."""

_BUCKET_SALT = np.uint64(0x9E3779B97F4A7C15)
_HELD_BACK_SALT = np.uint64(0xD1B54A32D192ED03)
_HELD_BACK_OF = np.uint64(50)
_BLOCK_US = 15 * 60 * 1_000_000


def splitmix64(words: npt.ArrayLike) -> npt.NDArray[np.uint64]:
    """Finaliser of Steele, Lea and Flood's SplitMix generator, element by element."""
    z = np.asarray(words).astype(np.uint64, copy=True)
    z += np.uint64(0x9E3779B97F4A7C15)
    z ^= z >> np.uint64(30)
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return z


def embedding_rows(
    ids: npt.NDArray[np.int64], buckets: int | npt.NDArray[np.int64], hashed: bool
) -> npt.NDArray[np.int64]:
    """Row of each id in a table of ``buckets`` rows: hashed, or the id itself where ``hashed`` is False.

    ``buckets`` may be an array that broadcasts against ``ids``: a table per column.
    """
    if not hashed:
        return ids
    return (splitmix64(ids) % np.asarray(buckets, np.uint64)).astype(np.int64)


def user_buckets(keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int16]:
    """Bucket 0..255 of each user key."""
    return (splitmix64(keys.astype(np.uint64) ^ _BUCKET_SALT) % np.uint64(USER_BUCKETS)).astype(np.int16)


def time_buckets(event_time_us: npt.NDArray[np.int64]) -> npt.NDArray[np.int16]:
    """Bucket 0..255 of each quarter of an hour: stands in for users where a stream has no user key."""
    return user_buckets(event_time_us // _BLOCK_US)


def held_back(keys: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """True for the fixed 2 % of users whose rows no foundation model is ever trained on."""
    return np.asarray(splitmix64(keys.astype(np.uint64) ^ _HELD_BACK_SALT) % _HELD_BACK_OF == 0)


def held_back_times(event_time_us: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Stand-in for ``held_back`` where a stream has no user key: 2 % of the quarters of an hour."""
    return held_back(event_time_us // _BLOCK_US)
