"""A first schema for a file of unknown columns, with the reason for every choice. Torch-free.

    python -m exfm_core infer FILE

A proposal to be read, not a decision: names and the first rows cannot tell what was known at the time of a row.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exfm_core.data.sample import MAX_ROWS, Format, Sample, read_sample
from exfm_core.data.validate import bound_process
from exfm_core.errors import ExfmError, SpecError
from exfm_core.spec import Feature, StreamSchema, Task

Role = Literal["event time", "user key", "label", "categorical", "sequence", "dense", "left out"]

_TIME = re.compile(r"time|timestamp|date|(^|_)(ts|at|hour|day)$", re.I)
_LABEL = re.compile(
    r"label|target|click|clk|conver|purchase|bought|buy|order|like|love|install|attributed|watched|^y$", re.I
)
_USER = re.compile(
    r"((user|member|visitor|customer|client|account|cookie|uid)(_?(id|key|hash|pseudo_?id))?|device_?(id|hash))$", re.I
)
_ID = re.compile(r"(^|_)(id|ids|code|type|kind|cat|category|brand|pos|position|slot|hour|weekday|zip)$|id$", re.I)
_AMOUNT = re.compile(r"count|num(ber)?|price|amount|age|score|rate|rank|length|duration|seconds|total|size|ratio", re.I)
_KINDS: Final = (
    ("conversion", re.compile(r"conver|purchase|bought|buy|order|install|attributed", re.I)),
    ("like", re.compile(r"like|love", re.I)),
    ("click", re.compile(r"click|clk", re.I)),
)
_UNITS: Final = (("seconds", 1e8, 5e9), ("milliseconds", 1e11, 5e12), ("microseconds", 1e14, 5e15))
MIN_BUCKETS, MAX_BUCKETS = 64, 1 << 24
SMALL_CODES = 4096
MAX_LIST = 1024


@dataclass(frozen=True, slots=True)
class Column:
    """What became of a column and why. `distinct`, `nulls`: in the rows read."""

    name: str
    type: str
    role: Role
    reason: str
    distinct: int | None
    nulls: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """`schema` is None where the file lacks what a stream must have; `warnings` say what."""

    format: Format
    rows: int
    whole: bool
    schema: StreamSchema | None
    columns: tuple[Column, ...]
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready object."""
        schema = None if self.schema is None else self.schema.to_json()
        return {**asdict(self), "schema": schema, "columns": [asdict(column) for column in self.columns]}


def infer(path: str | os.PathLike[str], rows: int = MAX_ROWS) -> Proposal:
    """Propose a schema from the file's first rows. Raises DataError if nothing can be read."""
    return propose(read_sample(path, rows))


def propose(sample: Sample) -> Proposal:
    """Propose a schema for a sample."""
    work = _Work(sample)
    work.choose_time()
    work.choose_user()
    for name in work.names:
        if name not in work.columns:
            work.choose(name)
    if sample.named is False:
        work.warnings.append("The file has no header: columns are named f0, f1 … in their order.")
    schema = work.schema()
    columns = tuple(work.columns[name] for name in work.names)
    return Proposal(sample.format, sample.table.num_rows, sample.whole, schema, columns, tuple(work.warnings))


class _Work:
    def __init__(self, sample: Sample) -> None:
        self.table, self.names = sample.table, list(dict.fromkeys(sample.table.column_names))
        self.columns: dict[str, Column] = {}
        self.features: dict[str, Feature] = {}
        self.tasks: list[Task] = []
        self.warnings: list[str] = []
        self.time: str | None = None
        self.user: str | None = None
        for name in self.names:
            if sample.table.column_names.count(name) > 1:
                self.keep(name, "left out", "several columns have this name")

    def keep(self, name: str, role: Role, reason: str, distinct: int | None = None) -> None:
        if name not in self.columns:
            column = self.table.column(self.table.column_names.index(name))
            self.columns[name] = Column(name, str(column.type), role, reason, distinct, column.null_count)

    def values(self, name: str) -> pa.ChunkedArray:
        return self.table.column(name).drop_null()

    def choose_time(self) -> None:
        """The column that orders the rows: a timestamp, or whole numbers that read as one; sorted ones first."""
        found: list[tuple[tuple[bool, bool, bool], str, str]] = []
        for name in (name for name in self.names if name not in self.columns):
            values, named = self.values(name), bool(_TIME.search(name))
            if not len(values):
                continue
            if pa.types.is_timestamp(values.type) or pa.types.is_date(values.type):
                unit = "a timestamp"
            elif pa.types.is_integer(values.type) and named and (number := _unit(values)):
                unit = f"{number} since 1970"
            else:
                continue
            numbers = (
                values.cast(pa.int64(), safe=False) if not pa.types.is_date32(values.type) else values.cast(pa.int32())
            )
            ordered = bool((np.diff(numbers.to_numpy()) >= 0).all())
            found.append(((ordered, named, self.table.column(name).null_count == 0), name, unit))
        if not found:
            self.warnings.append("No column holds times: a stream needs the time of every row.")
            return
        (ordered, _, _), self.time, unit = max(found, key=lambda one: one[0])
        order = "in order" if ordered else "not in order"
        self.keep(self.time, "event time", f"{unit}, {order}")
        if str(self.table.column(self.time).type) != "timestamp[us, tz=UTC]":
            self.warnings.append(
                f"Write {self.time!r} as timestamp[us, UTC]: it is {self.table.column(self.time).type}."
            )
        if not ordered:
            self.warnings.append(f"Sort the rows by {self.time!r}.")
        for _, name, _ in found:
            self.keep(name, "left out", "a second time: it may lie after the row's, and tell the label")

    def choose_user(self) -> None:
        """The column of users: by its name; the one with the most values."""
        found = []
        for name in (name for name in self.names if name not in self.columns):
            kind = self.table.column(name).type
            if _USER.search(name) and (pa.types.is_integer(kind) or _is_text(kind)):
                found.append((pc.count_distinct(self.values(name)).as_py(), name))
        if not found:
            self.warnings.append("No column is named like users: intervals will resample blocks of time.")
            return
        self.user = max(found)[1]

    def choose(self, name: str) -> None:
        values = self.values(name)
        kind = values.type
        if re.fullmatch(r"\s*", name) or not _fits(name):
            self.keep(name, "left out", "its name cannot stand in a schema: rename it")
        elif not len(values):
            self.keep(name, "left out", "every value is null")
        elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
            self._sequence(name, values)
        elif pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind):
            self._numbers(name, values)
        elif _is_text(kind):
            self._text(name, values)
        else:
            self.keep(name, "left out", f"no feature can hold {kind}")
        if name in self.columns and self.columns[name].role != "left out" and self.columns[name].nulls:
            self.warnings.append(f"{name!r} has {self.columns[name].nulls} nulls: fill them, or leave the rows out.")

    def _numbers(self, name: str, values: pa.ChunkedArray) -> None:
        numbers = pc.cast(values, pa.float64(), safe=False).to_numpy()
        numbers = numbers[np.isfinite(numbers)]
        distinct = pc.count_distinct(values).as_py()
        if not len(numbers) or distinct == 1:
            self.keep(name, "left out", "one value in all rows", distinct)
        elif set(np.unique(numbers[:1000])) <= {0.0, 1.0} and set(np.unique(numbers)) == {0.0, 1.0}:
            self._binary(name, numbers)
        elif pa.types.is_floating(values.type):
            self._dense(name, f"numbers from {numbers.min():g} to {numbers.max():g}", distinct)
        elif _AMOUNT.search(name) and not _ID.search(name) and name != self.user:
            self._dense(name, "named like an amount; write it as float", distinct)
        else:
            self._ids(name, values.cast(pa.int64()).to_numpy(), distinct)

    def _binary(self, name: str, numbers: np.ndarray) -> None:
        rate = f"{numbers.mean():.1%} are 1"
        if not _LABEL.search(name):
            self._feature(Feature(name, buckets=2, hashed=False), f"0 and 1 ({rate}), not named like a label", 2)
            self.warnings.append(f"{name!r} holds 0 and 1: if it is known only after the row's time, it is a label.")
            return
        kind = next((kind for kind, pattern in _KINDS if pattern.search(name)), name.lower())
        if any(task.kind == kind for task in self.tasks):
            kind = name
        self.tasks.append(Task(name, kind, name))
        self.keep(name, "label", f"0 and 1 ({rate}), named like a label", 2)

    def _ids(self, name: str, ids: np.ndarray, distinct: int) -> None:
        if name != self.user and distinct > 0.98 * len(ids) and len(ids) >= 1000:
            self.keep(name, "left out", "a new value in nearly every row: it names the row", distinct)
            return
        low, high = int(ids.min()), int(ids.max())
        if low < 0:
            self.warnings.append(f"{name!r} has ids below 0: map them to whole numbers from 0.")
        dense_codes = low >= 0 and high < SMALL_CODES and high + 1 <= 4 * distinct
        if dense_codes and name != self.user:
            reason = f"{distinct} codes from {low} to {high}"
            self._feature(Feature(name, buckets=high + 1, hashed=False), reason, distinct)
            return
        likely = _richness(ids)
        self._feature(
            Feature(name, buckets=_buckets(likely)), f"{distinct} ids, about {likely} likely in all", distinct
        )

    def _text(self, name: str, values: pa.ChunkedArray) -> None:
        codes = pc.dictionary_encode(values).combine_chunks()
        codes = codes if isinstance(codes, pa.DictionaryArray) else pa.concat_arrays(codes.chunks)
        distinct = len(codes.dictionary)
        if name != self.user and distinct > 0.98 * len(values) and len(values) >= 100:
            self.keep(name, "left out", "a new text in nearly every row", distinct)
            return
        likely = _richness(codes.indices.to_numpy().astype(np.int64))
        self._feature(
            Feature(name, buckets=_buckets(likely)), f"{distinct} texts, about {likely} likely in all", distinct
        )
        self.warnings.append(f"{name!r} is text: write a 63-bit hash of it as int64.")

    def _sequence(self, name: str, values: pa.ChunkedArray) -> None:
        if not pa.types.is_integer(values.type.value_type):
            self.keep(name, "left out", f"a list of {values.type.value_type}; only whole numbers can be ids")
            return
        longest = int(pc.max(pc.list_value_length(values)).as_py() or 0)
        ids = pc.drop_null(pc.list_flatten(values)).to_numpy().astype(np.int64)
        likely = _richness(ids) if len(ids) else 1
        length = min(MAX_LIST, max(1, longest))
        reason = f"lists of up to {longest} ids, about {likely} ids likely in all"
        self._feature(Feature(name, "sequence", _buckets(likely), max_length=length), reason, len(np.unique(ids)))
        if longest > MAX_LIST:
            self.warnings.append(f"{name!r} has lists of {longest} ids: keep the latest {MAX_LIST}.")

    def _dense(self, name: str, reason: str, distinct: int) -> None:
        self._feature(Feature(name, "dense"), reason, distinct)

    def _feature(self, feature: Feature, reason: str, distinct: int) -> None:
        self.features[feature.name] = feature
        role: Role = "user key" if feature.name == self.user else feature.kind
        self.keep(feature.name, role, reason, distinct)

    def schema(self) -> StreamSchema | None:
        if not self.tasks:
            self.warnings.append("No column of 0 and 1 is named like a label: name one, and it becomes a task.")
        if self.user is not None and self.features.get(self.user) is None:
            self.user = None
        features = tuple(self.features[name] for name in self.names if name in self.features)
        if self.time is None or not self.tasks or not any(feature.sparse for feature in features):
            return None
        try:
            return StreamSchema(features, tuple(self.tasks), self.time, self.user)
        except SpecError as error:
            self.warnings.append(str(error))
            return None


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _fits(name: str) -> bool:
    try:
        Feature(name, "dense")
    except SpecError:
        return False
    return True


def _unit(values: pa.ChunkedArray) -> str | None:
    low, high = float(pc.min(values).as_py()), float(pc.max(values).as_py())
    return next((unit for unit, first, last in _UNITS if first <= low and high <= last), None)


def _richness(ids: np.ndarray) -> int:
    """How many ids there are likely to be, from those seen once and twice (Chao 1984, bias-corrected)."""
    _, counts = np.unique(ids, return_counts=True)
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    return int(len(counts) + once * (once - 1) / (2 * (twice + 1)))


def _buckets(ids: int) -> int:
    """A power of two with twice the room: half of the rows then stay free, and one in four ids shares its row."""
    return min(MAX_BUCKETS, max(MIN_BUCKETS, 1 << (2 * ids - 1).bit_length()))


def main(argv: Sequence[str]) -> int:
    """``infer [--rows N] FILE``: print the proposal as JSON.

    Returns 0 with a schema, 1 without one, 2 where nothing can be read (a sentence on stderr).
    """
    parser = argparse.ArgumentParser(
        prog="python -m exfm_core infer", description="Propose a stream's schema from a file."
    )
    parser.add_argument("--rows", type=int, default=MAX_ROWS, help=f"rows to read (default {MAX_ROWS})")
    parser.add_argument("file", help="Parquet, CSV or JSON lines")
    try:
        options = parser.parse_args(list(argv))
        if options.rows < 1:
            parser.error("--rows is at least 1")
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        proposal = infer(options.file, options.rows)
    except ExfmError as error:
        print(f"infer: {error}", file=sys.stderr)
        return 2
    print(json.dumps(proposal.to_json(), ensure_ascii=False))
    return 0 if proposal.schema is not None else 1


def bounded_main(argv: Sequence[str]) -> int:
    """`main` in a process that bounds its own memory and time: the file may be a stranger's."""
    bound_process()
    return main(argv)
