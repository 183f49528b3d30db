"""What a column of a raw file may hold, and how hashed texts become ids. Torch-free."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_NIBBLE = np.full(256, 255, np.uint8)
_NIBBLE[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16, dtype=np.uint8)
_TEXT = pa.string()

Good = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a raw file. ``good`` says which values may stand; empty values are null if ``optional``.

    A field without a check is skipped unread.
    """

    name: str
    expected: str = "anything"
    arrow: pa.DataType = _TEXT
    good: Callable[[pa.Array], Good] | None = None
    optional: bool = False


def skipped(name: str) -> Field:
    """A column that is in the file and never read."""
    return Field(name)


def whole(name: str, low: int, high: int, *, optional: bool = False) -> Field:
    """A whole number from ``low`` to ``high``."""

    def good(array: pa.Array) -> Good:
        values = array.to_numpy(zero_copy_only=False)
        return np.asarray((values >= low) & (values <= high))

    return Field(name, f"a whole number in {low}..{high}", pa.int64(), good, optional)


def real(name: str, low: float, high: float) -> Field:
    """A finite number from ``low`` to ``high``."""

    def good(array: pa.Array) -> Good:
        values = array.to_numpy(zero_copy_only=False)
        return np.asarray((values >= low) & (values <= high))

    return Field(name, f"a number in [{low}, {high}]", pa.float64(), good)


def hexadecimal(name: str, digits: int, *, optional: bool = False) -> Field:
    """Exactly ``digits`` lower-case hexadecimal digits."""

    def good(array: pa.Array) -> Good:
        right_length = np.asarray(pc.binary_length(array)) == digits
        if not right_length.all():
            return np.asarray(right_length, np.bool_)
        return np.asarray((_digits(array, digits) < 16).all(axis=1))

    return Field(name, f"{digits} hexadecimal digits", _TEXT, good, optional)


def words(name: str, pattern: str, expected: str) -> Field:
    """A text that matches a regular expression from end to end."""
    return Field(name, expected, _TEXT, lambda a: np.asarray(pc.match_substring_regex(a, f"^(?:{pattern})$")))


def moment(name: str, expected: str, *, zone: str | None = None, optional: bool = False) -> Field:
    """A point in time in ISO 8601: with an offset if ``zone`` is given, without one (read as UTC) if not."""
    kind = pa.timestamp("us", tz=zone)
    return Field(name, expected, kind, lambda array: np.ones(len(array), np.bool_), optional)


def hex_ids(column: pa.Array, digits: int) -> npt.NDArray[np.int64]:
    """First ``digits`` (8 or 15) hexadecimal digits of each value as a number, plus 1; 0 where the value is null."""
    ids = np.zeros(len(column), np.int64)
    values = column.drop_null()
    if len(values):
        width = int(pc.binary_length(values[:1])[0].as_py())
        nibbles = _digits(values, width)[:, : digits + digits % 2]
        packed = np.ascontiguousarray((nibbles[:, ::2] << 4) | nibbles[:, 1::2])
        words = packed.view(f">u{packed.shape[1]}").ravel().astype(np.uint64) >> np.uint64(4 * (digits % 2))
        ids[column.is_valid().to_numpy(zero_copy_only=False)] = words.astype(np.int64) + 1
    return ids


def _digits(array: pa.Array, width: int) -> npt.NDArray[np.uint8]:
    """Value of each digit [rows, width] of texts of one length, 255 where it is none; no nulls."""
    if not len(array):
        return np.empty((0, width), np.uint8)
    data = array.buffers()[2]
    ends = np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1]
    text = np.frombuffer(data, np.uint8)[ends[0] : ends[-1]] if data is not None else np.empty(0, np.uint8)
    return np.asarray(_NIBBLE[text.reshape(len(array), width)])
