"""From raw rows to partitions: event-time order, intervals on one grid, ties never split. Torch-free.

Intervals are whole multiples of their length since 1970, in UTC, so that streams of one log share them. Intervals
without rows are left out: an empty partition is no partition.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from exfm_core.data.partitions import column_numpy
from exfm_core.errors import DataError
from exfm_core.spec import StreamSchema

Partition = tuple[datetime, datetime, pa.Table]
"""Start, end (not in it), and the rows in time order."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of a public log. ``partitions`` reads it from the start, a partition at a time."""

    slug: str
    title: str
    schema: StreamSchema
    partitions: Callable[[], Iterator[Partition]]


def instant(micros: int) -> datetime:
    """Return the UTC time of a number of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=int(micros))


def times_us(table: pa.Table, column: str = "event_time") -> npt.NDArray[np.int64]:
    """Return a time column in microseconds since 1970."""
    return np.asarray(column_numpy(table.column(column).cast(pa.int64())))


def check_length(seconds: int) -> int:
    """Return the length of a partition in microseconds; DataError unless it is at least a second."""
    if seconds < 1:
        raise DataError("public.partition_length", f"A partition cannot be {seconds} s long.", "Use 1 s or more.")
    return seconds * 1_000_000


def cut(tables: Iterable[pa.Table], seconds: int) -> Iterator[Partition]:
    """Cut tables that arrive in time order into partitions; memory is bounded by one partition and one table.

    DataError if a row is earlier than one before it.
    """
    length = check_length(seconds)
    waiting: list[pa.Table] = []
    number, last, seen = 0, None, 0
    for table in tables:
        times = times_us(table)
        before = np.concatenate([times[:1] if last is None else [last], times[:-1]])
        if (back := np.flatnonzero(times < before)).size:
            row = int(back[0])
            raise DataError(
                "public.not_sorted",
                f"Row {seen + row} of the log is of {instant(times[row])}, before the row ahead of it "
                f"({instant(int(before[row]))}).",
                "The log is published in time order: take the file as it was published.",
            )
        for first, stop, interval in _runs(times // length):
            if waiting and interval != number:
                yield _partition(waiting, number, length)
                waiting = []
            number = interval
            waiting.append(table.slice(first, stop - first))
        if len(times):
            last = int(times[-1])
        seen += len(times)
    if waiting:
        yield _partition(waiting, number, length)


def sort_and_cut(tables: Iterable[pa.Table], seconds: int, *, by: tuple[str, ...] = ()) -> Iterator[Partition]:
    """Cut tables in any order into partitions, rows sorted by event time, then by the ``by`` columns, then as read.

    Rows wait in an unnamed scratch file in between; memory is bounded by one partition and one table.
    """
    length = check_length(seconds)
    with tempfile.TemporaryFile(prefix="exfm-partitions-") as scratch:
        places: dict[int, list[tuple[int, int]]] = defaultdict(list)
        schema: pa.Schema | None = None
        for table in tables:
            schema = schema or table.schema
            table = _sorted(table, by)
            for first, stop, interval in _runs(times_us(table) // length):
                part = table.slice(first, stop - first).combine_chunks()
                for batch in part.to_batches():
                    packed = batch.serialize()
                    places[interval].append((scratch.tell(), packed.size))
                    scratch.write(packed)
        for interval in sorted(places):
            batches = []
            for offset, size in places[interval]:
                scratch.seek(offset)
                batches.append(pa.ipc.read_record_batch(pa.py_buffer(scratch.read(size)), schema))
            yield _partition([_sorted(pa.Table.from_batches(batches, schema), by)], interval, length)


def _sorted(table: pa.Table, by: tuple[str, ...]) -> pa.Table:
    keys = [column_numpy(table.column(name)) for name in reversed(by)]
    return table.take(pa.array(np.lexsort((*keys, times_us(table)))))


def _runs(numbers: npt.NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """Yield ``(first, stop, number)`` of each run of equal numbers."""
    if numbers.size:
        edges = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(numbers)]
        for first, stop in pairwise(edges):
            yield first, stop, int(numbers[first])


def _partition(parts: list[pa.Table], number: int, length: int) -> Partition:
    return instant(number * length), instant((number + 1) * length), pa.concat_tables(parts).combine_chunks()
