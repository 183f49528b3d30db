"""Criteo's display advertising log (Kaggle 2014) in its published raw format. Torch-free.

``train.txt``, tab-separated without a header: label, 13 integers, 26 hashed categories; any of them may be empty. Rows
are in time order but carry no time: row i is given the time START + i · 10 ms, so intervals are counts of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from exfm_core.data.partitions import arrow_schema, column_numpy
from exfm_core.data.public import rawfiles
from exfm_core.data.public.chronology import Partition, Stream, cut
from exfm_core.data.public.rawfields import hex_ids, hexadecimal, whole
from exfm_core.data.public.rawfiles import Format
from exfm_core.spec import Feature, StreamSchema, Task

NUMBERS = tuple(f"i{i}" for i in range(1, 14))
CATEGORIES = tuple(f"c{i}" for i in range(1, 27))
START = datetime(2000, 1, 1, tzinfo=UTC)
ROW_US = 10_000
FORMAT = Format(
    "criteo",
    "https://www.kaggle.com/c/criteo-display-ad-challenge (train.txt; Criteo's terms: research, no redistribution)",
    (
        whole("label", 0, 1),
        *(whole(name, -(2**31), 2**31 - 1, optional=True) for name in NUMBERS),
        *(hexadecimal(name, 8, optional=True) for name in CATEGORIES),
    ),
    delimiter="\t",
    header="no",
)
FILES = ("train.txt", "train.txt.gz", "*criteo*train*.txt", "*criteo*train*.txt.gz")


def schema(buckets: int = 1 << 17) -> StreamSchema:
    """The stream's columns; ``buckets``: rows of each category's table. There is no user key.

    ``i1`` … ``i13`` are dense, sign(x) · log(1 + |x|) / 4, and 0 where missing; ``missing`` says which are.
    """
    features = (
        *(Feature(name, "dense", catalogue=name) for name in NUMBERS),
        Feature("missing", buckets=1 << len(NUMBERS), hashed=False, catalogue="missing"),
        *(Feature(name, buckets=buckets, catalogue=name) for name in CATEGORIES),
    )
    return StreamSchema(features, (Task("click", "click", "clicked"),), user_key=None)


def streams(folder: Path, *, partition_seconds: int = 900, buckets: int = 1 << 17) -> tuple[Stream, ...]:
    """Return the log in ``folder`` as one stream; 900 s of its made-up time are 90,000 rows."""
    files = rawfiles.find(folder, FILES, FORMAT)
    columns = schema(buckets)
    return (Stream("criteo", "Criteo display ads", columns, partial(_partitions, files, columns, partition_seconds)),)


def _partitions(files: Sequence[Path], columns: StreamSchema, seconds: int) -> Iterator[Partition]:
    return cut(_tables(files, columns), seconds)


def _tables(files: Sequence[Path], columns: StreamSchema) -> Iterator[pa.Table]:
    wanted, start, seen = arrow_schema(columns), int(START.timestamp()) * 1_000_000, 0
    for path in files:
        for _, raw in rawfiles.read(path, FORMAT):
            made = {"event_time": start + (seen + np.arange(raw.num_rows, dtype=np.int64)) * ROW_US}
            seen += raw.num_rows
            missing = np.zeros(raw.num_rows, np.int64)
            for bit, name in enumerate(NUMBERS):
                column = raw.column(name)
                missing |= np.asarray(column.is_null()).astype(np.int64) << bit
                values = column_numpy(column.fill_null(0)).astype(np.float64)
                made[name] = np.sign(values) * np.log1p(np.abs(values)) / 4.0
            made["missing"] = missing
            for name in CATEGORIES:
                made[name] = hex_ids(raw.column(name).combine_chunks(), 8)
            made["clicked"] = raw.column("label")
            yield pa.table({name: made[name] for name in wanted.names}).cast(wanted)
