"""What each kind of column may hold: accepted Arrow types, and the first row that breaks the rule. Torch-free."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from exfm_core.data.partitions import TIME_TYPE, column_numpy
from exfm_core.spec import TRUE_PROBABILITY, Feature, StreamSchema


@dataclass(frozen=True, slots=True)
class Finding:
    """The first bad row of a chunk, counted from the chunk's start."""

    row: int
    expected: str
    found: str
    mend: str


@dataclass(frozen=True, slots=True)
class ColumnCheck:
    """``type_name`` for people, ``accepts`` for Arrow types, ``rows`` for the values of an array without nulls."""

    type_name: str
    accepts: Callable[[pa.DataType], bool]
    rows: Callable[[pa.Array], Finding | None]


def of_schema(schema: StreamSchema) -> dict[str, ColumnCheck]:
    """Return the check of every column the schema knows, the optional true probability among them."""
    known = {schema.event_time: ColumnCheck("timestamp[us, UTC]", lambda t: t == TIME_TYPE, lambda array: None)}
    if schema.user_key is not None:
        known[schema.user_key] = ColumnCheck("int64 id >= 0", pa.types.is_integer, _ids(None))
    for feature in schema.features:
        known[feature.name] = _feature(feature)
    for task in schema.tasks:
        known[task.label] = ColumnCheck("label 0 or 1 (int8, bool or float)", _is_label, _labels)
    known[TRUE_PROBABILITY] = ColumnCheck("float64 in [0, 1]", pa.types.is_floating, _probabilities)
    return known


def _feature(feature: Feature) -> ColumnCheck:
    if feature.kind == "dense":
        return ColumnCheck("finite float", pa.types.is_floating, _finite)
    limit = feature.buckets if feature.bounded else None
    text = "int64 id >= 0" if limit is None else f"int64 id in 0..{limit - 1}"
    if feature.kind == "categorical":
        return ColumnCheck(text, pa.types.is_integer, _ids(limit))
    return ColumnCheck(
        f"list of at most {feature.max_length} of {text}", _is_id_list, _lists(limit, feature.max_length)
    )


def _is_label(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_floating(kind))


def _is_id_list(kind: pa.DataType) -> bool:
    return bool((pa.types.is_list(kind) or pa.types.is_large_list(kind)) and pa.types.is_integer(kind.value_type))


def _ids(limit: int | None) -> Callable[[pa.Array], Finding | None]:
    expected = "an id >= 0" if limit is None else f"an id in 0..{limit - 1}"
    top = np.iinfo(np.int64).max if limit is None else limit - 1

    def check(array: pa.Array) -> Finding | None:
        ids = column_numpy(array)
        wrong = np.flatnonzero((ids < 0) | (ids > top))
        if not wrong.size:
            return None
        mend = "Map ids to whole numbers from 0." if limit is None else "Raise the feature's buckets or hash it."
        return Finding(int(wrong[0]), expected, str(ids[wrong[0]]), mend)

    return check


def _lists(limit: int | None, longest: int) -> Callable[[pa.Array], Finding | None]:
    of_ids = _ids(limit)

    def check(array: pa.Array) -> Finding | None:
        offsets = np.asarray(array.offsets.to_numpy(), dtype=np.int64)
        lengths = np.diff(offsets)
        long = np.flatnonzero(lengths > longest)
        if long.size:
            found = f"{int(lengths[long[0]])} ids"
            return Finding(int(long[0]), f"at most {longest} ids", found, "Keep the latest ones only.")
        values = array.values[int(offsets[0]) : int(offsets[-1])]

        def row_of(position: int) -> int:
            return int(np.searchsorted(offsets - offsets[0], position, side="right")) - 1

        if values.null_count:
            at = int(np.flatnonzero(values.is_null().to_numpy(zero_copy_only=False))[0])
            return Finding(row_of(at), "ids in the list", "null in the list", "Leave missing ids out.")
        finding = of_ids(values)
        return None if finding is None else Finding(row_of(finding.row), finding.expected, finding.found, finding.mend)

    return check


def _finite(array: pa.Array) -> Finding | None:
    values = column_numpy(array)
    wrong = np.flatnonzero(~np.isfinite(values) | (np.abs(values) > np.finfo(np.float32).max))
    if not wrong.size:
        return None
    return Finding(int(wrong[0]), "a finite float", str(values[wrong[0]]), "Replace it, for example by 0.")


def _labels(array: pa.Array) -> Finding | None:
    values = column_numpy(array)
    wrong = np.flatnonzero((values != 0) & (values != 1))
    return Finding(int(wrong[0]), "0 or 1", str(values[wrong[0]]), "Write labels as 0 and 1.") if wrong.size else None


def _probabilities(array: pa.Array) -> Finding | None:
    values = column_numpy(array)
    wrong = np.flatnonzero(~((values >= 0) & (values <= 1)))
    return (
        Finding(int(wrong[0]), "a number in [0, 1]", str(values[wrong[0]]), "Drop the column.") if wrong.size else None
    )
