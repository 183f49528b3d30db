"""TalkingData's ad clicks and installs (Kaggle 2018) in their published raw format. Torch-free.

``train.csv`` or ``train_sample.csv``, in any order: the sample is shuffled. ``attributed_time`` is set for installs
only, after the click: it is read to check the label and reaches no table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exfm_core.data.partitions import arrow_schema, column_numpy
from exfm_core.data.public import rawfiles
from exfm_core.data.public.chronology import Partition, Stream, sort_and_cut
from exfm_core.data.public.rawfields import moment, whole
from exfm_core.data.public.rawfiles import Format
from exfm_core.spec import Feature, StreamSchema, Task

IDS = ("ip", "app", "device", "os", "channel")
FORMAT = Format(
    "talkingdata",
    "https://www.kaggle.com/c/talkingdata-adtracking-fraud-detection (the competition's rules: no redistribution)",
    (
        *(whole(name, 0, 2**31 - 1) for name in IDS),
        moment("click_time", "a time as YYYY-MM-DD hh:mm:ss"),
        moment("attributed_time", "a time as YYYY-MM-DD hh:mm:ss, or nothing", optional=True),
        whole("is_attributed", 0, 1),
    ),
)
FILES = ("train.csv", "train.csv.gz", "train_sample.csv", "train_sample.csv.gz")
SCHEMA = StreamSchema(
    (
        Feature("hour", buckets=24, hashed=False, catalogue="hour"),
        Feature("ip", buckets=1 << 17, catalogue="ip"),
        Feature("app", buckets=1 << 12, catalogue="app"),
        Feature("device", buckets=1 << 13, catalogue="device"),
        Feature("os", buckets=1 << 12, catalogue="os"),
        Feature("channel", buckets=1 << 12, catalogue="channel"),
    ),
    (Task("install", "conversion", "installed"),),
    user_key="ip",
)
"""The user key is the network address: one address may stand for a household or for thousands of phones."""


def streams(folder: Path, *, partition_seconds: int = 3600) -> tuple[Stream, ...]:
    """Return the clicks in ``folder`` as one stream that predicts installs."""
    files = rawfiles.find(folder, FILES, FORMAT)
    return (Stream("talkingdata", "TalkingData app installs", SCHEMA, partial(_partitions, files, partition_seconds)),)


def _partitions(files: Sequence[Path], seconds: int) -> Iterator[Partition]:
    return sort_and_cut(_tables(files), seconds, by=(*IDS, "installed"))


def _tables(files: Sequence[Path]) -> Iterator[pa.Table]:
    wanted = arrow_schema(SCHEMA)
    for path in files:
        for first_line, raw in rawfiles.read(path, FORMAT):
            _check_installs(path, first_line, raw)
            made = {name: raw.column(name) for name in IDS}
            made["event_time"] = raw.column("click_time").cast(pa.timestamp("us", tz="UTC"))
            made["hour"] = pc.hour(raw.column("click_time"))
            made["installed"] = raw.column("is_attributed")
            yield pa.table({name: made[name] for name in wanted.names}).cast(wanted)


def _check_installs(path: Path, first_line: int, raw: pa.Table) -> None:
    """DataError unless exactly the installs have a time of install, and none is before its click."""
    clicked, installed = (column_numpy(raw.column(name)) for name in ("click_time", "attributed_time"))
    label = column_numpy(raw.column("is_attributed")) == 1
    wrong = np.flatnonzero((label == np.isnat(installed)) | (installed < clicked))
    if wrong.size:
        row = int(wrong[0])
        found = f"is_attributed {int(label[row])} with {raw.column('attributed_time')[row].as_py()}"
        expected = "a time at or after click_time exactly where is_attributed is 1"
        raise rawfiles.malformed(path, FORMAT, first_line + row, "attributed_time", expected, found)
