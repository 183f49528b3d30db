"""The Open Bandit Dataset (ZOZOTOWN) in its published raw format. Torch-free.

``{bts,random}/{all,men,women}/{campaign}.csv`` beside ``item_context.csv``; each pair of policy and campaign is a
stream. The propensity with which the policy chose the item is kept in the tables as ``propensity``, outside the
schema: no model may read it, off-policy estimates need it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from exfm_core.data.partitions import arrow_schema, column_numpy
from exfm_core.data.public import rawfiles
from exfm_core.data.public.chronology import Partition, Stream, cut
from exfm_core.data.public.rawfields import hex_ids, hexadecimal, moment, real, skipped, whole
from exfm_core.data.public.rawfiles import Format
from exfm_core.errors import DataError
from exfm_core.spec import Feature, StreamSchema, Task

POLICIES = ("bts", "random")
CAMPAIGNS = ("all", "men", "women")
PROPENSITY = "propensity"
MAX_ITEMS = 256
TOP = 8
_USER = tuple(f"user_feature_{i}" for i in range(4))
_ITEM = tuple(f"item_feature_{i}" for i in range(1, 4))
_SOURCE = "https://research.zozo.com/data.html or https://github.com/st-tech/zr-obp (its terms; cite arXiv:2008.07146)"
FORMAT = Format(
    "open_bandit",
    _SOURCE,
    (
        skipped(""),
        moment("timestamp", "a time with its offset", zone="UTC"),
        whole("item_id", 0, MAX_ITEMS - 1),
        whole("position", 1, 3),
        whole("click", 0, 1),
        real("propensity_score", 1e-12, 1.0),
        *(hexadecimal(name, 32) for name in _USER),
    ),
)
"""Columns before the affinities, of which there is one per item."""

ITEMS = Format(
    "open_bandit",
    _SOURCE,
    (
        skipped(""),
        whole("item_id", 0, MAX_ITEMS - 1),
        real("item_feature_0", -1e6, 1e6),
        *(hexadecimal(n, 32) for n in _ITEM),
    ),
)
SCHEMA = StreamSchema(
    (
        Feature("item_id", buckets=MAX_ITEMS, hashed=False, catalogue="item_id"),
        Feature("position", buckets=4, hashed=False, catalogue="position"),
        Feature("hour", buckets=24, hashed=False, catalogue="hour"),
        *(Feature(name, buckets=4096, catalogue=name) for name in (*_USER, *_ITEM)),
        Feature("item_feature_0", "dense", catalogue="item_feature_0"),
        Feature("affinity", "dense", catalogue="affinity"),
        Feature("affinity_total", "dense", catalogue="affinity_total"),
        Feature("affine_items", "sequence", MAX_ITEMS, hashed=False, max_length=TOP, catalogue="affine_items"),
    ),
    (Task("click", "click", "clicked"),),
    user_key=None,
)
"""``affinity``: the user's with the shown item; ``affine_items``: those of highest affinity above 0, best first."""


def streams(folder: Path, *, partition_seconds: int = 6 * 3600) -> tuple[Stream, ...]:
    """Return one stream per policy and campaign found in ``folder``. DataError if there is none."""
    found = []
    for policy, campaign in product(POLICIES, CAMPAIGNS):
        place = folder / policy / campaign
        for path in (place / f"{campaign}.csv", place / f"{campaign}.csv.gz"):
            if path.is_file():
                read = partial(_partitions, path, partition_seconds)
                found.append(Stream(f"{policy}-{campaign}", f"Open Bandit, {campaign}, policy {policy}", SCHEMA, read))
                break
    if not found:
        raise DataError(
            "open_bandit.not_found",
            f"There is no {{bts,random}}/{{all,men,women}}/{{campaign}}.csv in {folder}.",
            f"Point to the folder that holds bts/ and random/. To get it: {_SOURCE}",
        )
    return tuple(found)


def _partitions(path: Path, seconds: int) -> Iterator[Partition]:
    return cut(_tables(path), seconds)


def _tables(path: Path) -> Iterator[pa.Table]:
    number, context = _items(path.parent)
    form, affinities = _format(path)
    for first_line, raw in rawfiles.read(path, form):
        item = column_numpy(raw.column("item_id"))
        if (unknown := np.flatnonzero((number[item] < 0) | (item >= len(affinities)))).size:
            row = int(unknown[0])
            known = f"an item of item_context.csv below {len(affinities)}"
            raise rawfiles.malformed(path, form, first_line + row, "item_id", known, str(item[row]))
        affinity = np.stack([column_numpy(raw.column(name)) for name in affinities], axis=1)
        made = {name: hex_ids(raw.column(name).combine_chunks(), 15) for name in _USER}
        made |= {name: values[number[item]] for name, values in context.items()}
        made |= {"item_id": item, "position": raw.column("position"), "event_time": raw.column("timestamp")}
        made["hour"] = pc.hour(raw.column("timestamp"))
        made["affinity"] = np.log1p(affinity[np.arange(len(item)), item])
        made["affinity_total"] = np.log1p(affinity.sum(axis=1))
        made["affine_items"] = _best(affinity)
        made["clicked"] = raw.column("click")
        wanted = arrow_schema(SCHEMA).append(pa.field(PROPENSITY, pa.float64(), nullable=False))
        made[PROPENSITY] = raw.column("propensity_score")
        yield pa.table({name: made[name] for name in wanted.names}).cast(wanted)


def _best(affinity: npt.NDArray[np.float64]) -> pa.ListArray:
    """Items of highest affinity above 0 of each row [rows, items], best first, ties by number, at most TOP."""
    order = np.argsort(-affinity, axis=1, kind="stable")[:, :TOP]
    liked = np.take_along_axis(affinity, order, axis=1) > 0
    offsets = np.concatenate([[0], np.cumsum(liked.sum(axis=1))]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(order[liked].astype(np.int64)))


def _format(path: Path) -> tuple[Format, tuple[str, ...]]:
    """The file's format, with as many affinity columns as its header has, and their names."""
    header = next(rawfiles.blocks(path, FORMAT), b"").partition(b"\n")[0]
    names = tuple(f"user-item_affinity_{i}" for i in range(max(1, header.count(b",") + 1 - len(FORMAT.fields))))
    if len(names) > MAX_ITEMS:
        raise rawfiles.malformed(path, FORMAT, 1, None, f"at most {MAX_ITEMS} affinities", str(len(names)))
    return replace(FORMAT, fields=(*FORMAT.fields, *(real(name, 0.0, 1e9) for name in names))), names


def _items(place: Path) -> tuple[npt.NDArray[np.int64], dict[str, npt.NDArray[np.float64]]]:
    """Row of each item id in the item table (-1: none), and the table's columns."""
    (path,) = rawfiles.find(place, ("item_context.csv", "item_context.csv.gz"), ITEMS)
    table = pa.concat_tables([rows for _, rows in rawfiles.read(path, ITEMS)]).combine_chunks()
    number = np.full(MAX_ITEMS, -1, np.int64)
    number[column_numpy(table.column("item_id"))] = np.arange(table.num_rows)
    columns = {name: hex_ids(table.column(name).combine_chunks(), 15) for name in _ITEM}
    return number, {**columns, "item_feature_0": column_numpy(table.column("item_feature_0"))}
