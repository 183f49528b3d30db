"""Avazu's mobile advertising log (Kaggle 2014) in its published raw format. Torch-free.

``train.csv`` (Kaggle packs it as ``train.gz``), with or without its header; several files are read in name order.
Time is the hour of the impression, nothing finer: all rows of an hour are of one time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from exfm_core.data.hashing import splitmix64
from exfm_core.data.partitions import arrow_schema, column_numpy
from exfm_core.data.public import rawfiles
from exfm_core.data.public.chronology import Partition, Stream, cut
from exfm_core.data.public.rawfields import Field, Good, hex_ids, hexadecimal, skipped, whole
from exfm_core.data.public.rawfiles import Format
from exfm_core.errors import DataError
from exfm_core.spec import Feature, StreamSchema, Task

Ints = npt.NDArray[np.int64]

HASHED = (
    "site_id", "site_domain", "site_category", "app_id", "app_domain", "app_category",
    "device_id", "device_ip", "device_model",
)  # fmt: skip
CODES = ("banner_pos", "device_type", "device_conn_type")
NUMBERS = ("C1", *(f"C{i}" for i in range(14, 22)))
_CODE_LIMIT = 64
_NO_DEVICE = 0xA99F214A + 1
"""``device_id`` of phones that give none, as ``hex_ids`` reads it: most of the log."""


def hour_times(hours: Ints) -> tuple[Ints, Good]:
    """Return seconds since 1970 of hours written YYMMDDHH, and whether each is a real hour."""
    year, month, day, hour = hours // 1_000_000, hours // 10_000 % 100, hours // 100 % 100, hours % 100
    fine = (hours >= 0) & (year < 100) & (month >= 1) & (month <= 12) & (day >= 1) & (hour <= 23)
    months = (np.where(fine, year, 0) + 30) * 12 + np.where(fine, month, 1) - 1
    first = months.astype("datetime64[M]").astype("datetime64[D]")
    dates = first + (np.where(fine, day, 1) - 1)
    fine &= dates.astype("datetime64[M]") == months.astype("datetime64[M]")
    return dates.astype(np.int64) * 86_400 + hour * 3600, fine


FORMAT = Format(
    "avazu",
    "https://www.kaggle.com/c/avazu-ctr-prediction (train.gz; the competition's rules: research, no redistribution)",
    (
        skipped("id"),
        whole("click", 0, 1),
        Field("hour", "an hour as YYMMDDHH", pa.int64(), lambda column: hour_times(column_numpy(column))[1]),
        whole("C1", 0, 2**31 - 1),
        whole("banner_pos", 0, _CODE_LIMIT - 1),
        *(hexadecimal(name, 8) for name in HASHED),
        whole("device_type", 0, _CODE_LIMIT - 1),
        whole("device_conn_type", 0, _CODE_LIMIT - 1),
        *(whole(name, -1, 2**31 - 1) for name in NUMBERS[1:]),
    ),
    header="maybe",
)
FILES = ("train.csv", "train.csv.gz", "train.gz", "*avazu*train*.csv", "*avazu*train*.csv.gz")


def schema(buckets: int = 1 << 17) -> StreamSchema:
    """The stream's columns; ``buckets``: rows of each hashed table.

    The user key is the device, or network address and model together where the device gives no id.
    """
    features = (
        Feature("hour", buckets=24, hashed=False, catalogue="hour"),
        *(Feature(name, buckets=_CODE_LIMIT, hashed=False, catalogue=name) for name in CODES),
        *(Feature(name, buckets=buckets, catalogue=name) for name in (*HASHED, *(n.lower() for n in NUMBERS))),
    )
    return StreamSchema(features, (Task("click", "click", "clicked"),))


def streams(folder: Path, *, partition_seconds: int = 3600, buckets: int = 1 << 17) -> tuple[Stream, ...]:
    """Return the log in ``folder`` as one stream, in partitions of whole hours."""
    if partition_seconds < 3600 or partition_seconds % 3600:
        raise DataError(
            "avazu.partition_length",
            f"A partition cannot be {partition_seconds} s long: the log's time is in whole hours.",
            "Use a multiple of 3600.",
        )
    files = rawfiles.find(folder, FILES, FORMAT)
    columns = schema(buckets)
    return (Stream("avazu", "Avazu mobile ads", columns, partial(_partitions, files, columns, partition_seconds)),)


def _partitions(files: Sequence[Path], columns: StreamSchema, seconds: int) -> Iterator[Partition]:
    return cut(_tables(files, columns), seconds)


def _tables(files: Sequence[Path], columns: StreamSchema) -> Iterator[pa.Table]:
    wanted = arrow_schema(columns)
    for path in files:
        for _, raw in rawfiles.read(path, FORMAT):
            made = {name: hex_ids(raw.column(name).combine_chunks(), 8) for name in HASHED}
            made |= {name: column_numpy(raw.column(name)) for name in CODES}
            made |= {name.lower(): column_numpy(raw.column(name)) + 1 for name in NUMBERS}
            seconds, _ = hour_times(column_numpy(raw.column("hour")))
            made["event_time"] = seconds * 1_000_000
            made["hour"] = seconds // 3600 % 24
            made["user_id"] = _user(made)
            made["clicked"] = column_numpy(raw.column("click"))
            yield pa.table({name: made[name] for name in wanted.names}).cast(wanted)


def _user(made: dict[str, Ints]) -> Ints:
    """Device ids stay below 2^33; stand-ins for the devices without one are hashes above it."""
    pair = splitmix64(splitmix64(made["device_ip"]) ^ made["device_model"].astype(np.uint64))
    stand_in = (pair >> np.uint64(2)).astype(np.int64) | (1 << 33)
    return np.asarray(np.where(made["device_id"] == _NO_DEVICE, stand_in, made["device_id"]))
