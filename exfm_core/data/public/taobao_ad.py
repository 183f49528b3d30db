"""Taobao's display ad log (Alibaba, Tianchi 2018) in its published raw format. Torch-free.

``raw_sample.csv`` (impressions, in no time order), ``ad_feature.csv`` and ``user_profile.csv``, joined by ad and user.
Every ad of the sample has features; some users have no profile, and some profiles have gaps: id 0 stands for both.
``nonclk`` is the label's mirror image: it is checked and dropped. The behaviour log of the release is not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from exfm_core.data.partitions import arrow_schema, column_numpy
from exfm_core.data.public import rawfiles
from exfm_core.data.public.chronology import Partition, Stream, sort_and_cut
from exfm_core.data.public.rawfields import real, whole, words
from exfm_core.data.public.rawfiles import Format
from exfm_core.errors import DataError
from exfm_core.spec import Feature, StreamSchema, Task

Ints = npt.NDArray[np.int64]

_SOURCE = "https://tianchi.aliyun.com/dataset/56 (raw_sample, ad_feature, user_profile; its terms: research)"
_MAX_ID = 2**31 - 1
_FIRST_S, _LAST_S = 1_493_900_000, 1_494_800_000
"""Around the published eight days, 2017-05-06 to 2017-05-13 in China."""

SAMPLE = Format(
    "taobao_ad",
    _SOURCE,
    (
        whole("user", 0, _MAX_ID),
        whole("time_stamp", _FIRST_S, _LAST_S),
        whole("adgroup_id", 0, _MAX_ID),
        words("pid", r"\d{1,9}_\d{1,6}", "a position as 430548_1007"),
        whole("nonclk", 0, 1),
        whole("clk", 0, 1),
    ),
)
ADS = Format(
    "taobao_ad",
    _SOURCE,
    (
        whole("adgroup_id", 0, _MAX_ID),
        whole("cate_id", 0, _MAX_ID),
        whole("campaign_id", 0, _MAX_ID),
        whole("customer", 0, _MAX_ID),
        whole("brand", 0, _MAX_ID, optional=True),
        real("price", 0.0, 1e12),
    ),
    nulls=("NULL",),
)
PROFILES = Format(
    "taobao_ad",
    _SOURCE,
    (
        whole("userid", 0, _MAX_ID),
        whole("cms_segid", 0, 126),
        *(whole(name, 0, 30) for name in ("cms_group_id", "final_gender_code", "age_level")),
        whole("pvalue_level", 0, 30, optional=True),
        *(whole(name, 0, 30) for name in ("shopping_level", "occupation")),
        whole("new_user_class_level", 0, 30, optional=True),
    ),
)
_AD = ("cate_id", "campaign_id", "customer", "brand")
_PROFILE = PROFILES.names[1:]
SCHEMA = StreamSchema(
    (
        Feature("user_id", buckets=1 << 20, catalogue="user_id", privileged=True),
        Feature("adgroup_id", buckets=1 << 18, catalogue="adgroup_id"),
        Feature("cate_id", buckets=1 << 14, catalogue="cate_id"),
        *(Feature(name, buckets=1 << 17, catalogue=name) for name in _AD[1:]),
        Feature("price", "dense", catalogue="price"),
        Feature("pid", buckets=1 << 10, catalogue="pid"),
        Feature("hour", buckets=24, hashed=False, catalogue="hour"),
        Feature("cms_segid", buckets=128, hashed=False, catalogue="cms_segid"),
        *(Feature(name, buckets=32, hashed=False, catalogue=name) for name in _PROFILE[1:]),
    ),
    (Task("click", "click", "clicked"),),
)
"""Profile ids are the published codes plus 1; 0: unknown."""


def streams(folder: Path, *, partition_seconds: int = 3600) -> tuple[Stream, ...]:
    """Return the impressions in ``folder`` as one stream."""
    sample = _one(folder, "raw_sample.csv", SAMPLE)
    ads, profiles = _one(folder, "ad_feature.csv", ADS), _one(folder, "user_profile.csv", PROFILES)
    read = partial(_partitions, sample, ads, profiles, partition_seconds)
    return (Stream("taobao-ad", "Taobao display ads", SCHEMA, read),)


def _one(folder: Path, name: str, form: Format) -> Path:
    return rawfiles.find(folder, (name, f"{name}.gz"), form)[0]


def _partitions(sample: Path, ads: Path, profiles: Path, seconds: int) -> Iterator[Partition]:
    by = ("user_id", "adgroup_id", "pid", "clicked")
    return sort_and_cut(_tables(sample, _Joined.read(ads, ADS), _Joined.read(profiles, PROFILES)), seconds, by=by)


@dataclass(frozen=True, slots=True)
class _Joined:
    """A table to look up by its first column: keys in order, and the other columns in that order."""

    keys: Ints
    columns: dict[str, npt.NDArray[np.float64] | Ints]

    @classmethod
    def read(cls, path: Path, form: Format) -> _Joined:
        table = pa.concat_tables([rows for _, rows in rawfiles.read(path, form)])
        keys = column_numpy(table.column(form.names[0]))
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        if (twice := np.flatnonzero(np.diff(keys) == 0)).size:
            raise DataError(
                "taobao_ad.doubled",
                f"{path} has {form.names[0]} {keys[twice[0]]} more than once.",
                f"Copy the file again. To get it: {form.source}",
            )
        # Whole numbers are shifted by 1, so that 0 is free for "unknown".
        columns = {
            name: column_numpy(column.fill_null(-1))[order] + 1
            if pa.types.is_integer(column.type)
            else column_numpy(column)[order]
            for name, column in zip(form.names[1:], table.columns[1:], strict=True)
        }
        return cls(keys, columns)

    def find(self, keys: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
        """Row of each key, and whether the table has it."""
        place = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return place, np.asarray(self.keys[place] == keys)


def _tables(sample: Path, ads: _Joined, profiles: _Joined) -> Iterator[pa.Table]:
    wanted = arrow_schema(SCHEMA)
    for first_line, raw in rawfiles.read(sample, SAMPLE):
        values = {name: column_numpy(raw.column(name)) for name in SAMPLE.names if name != "pid"}
        ad, known_ad = ads.find(values["adgroup_id"])
        if not known_ad.all():
            row = int(np.flatnonzero(~known_ad)[0])
            found = str(values["adgroup_id"][row])
            raise rawfiles.malformed(sample, SAMPLE, first_line + row, "adgroup_id", "an ad of ad_feature.csv", found)
        if (same := np.flatnonzero(values["clk"] == values["nonclk"])).size:
            row = int(same[0])
            found = f"{values['nonclk'][row]} beside clk {values['clk'][row]}"
            raise rawfiles.malformed(sample, SAMPLE, first_line + row, "nonclk", "the opposite of clk", found)
        user, known_user = profiles.find(values["user"])
        made: dict[str, object] = {name: ads.columns[name][ad] for name in _AD}
        made |= {name: np.where(known_user, profiles.columns[name][user], 0) for name in _PROFILE}
        made["price"] = np.log1p(ads.columns["price"][ad]) / 4.0 - 1.0
        made["event_time"] = values["time_stamp"] * 1_000_000
        made["hour"] = values["time_stamp"] // 3600 % 24
        made["user_id"] = values["user"]
        made["adgroup_id"] = values["adgroup_id"]
        made["pid"] = pc.replace_substring(raw.column("pid"), "_", "").cast(pa.int64())
        made["clicked"] = values["clk"]
        yield pa.table({name: made[name] for name in wanted.names}).cast(wanted)
