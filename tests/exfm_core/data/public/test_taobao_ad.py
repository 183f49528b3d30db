"""Taobao's display ads: rows in the published format; the files themselves are not at hand."""

import math
from pathlib import Path

import numpy as np
import pytest

from exfm_core.data.public import taobao_ad
from exfm_core.data.public.chronology import Partition
from exfm_core.errors import DataError

from .raw import column, cut_short, joined, sealed, write

SAMPLE = "user,time_stamp,adgroup_id,pid,nonclk,clk"
ADS = "adgroup_id,cate_id,campaign_id,customer,brand,price"
USERS = (
    "userid,cms_segid,cms_group_id,final_gender_code,age_level,pvalue_level,shopping_level,occupation,"
    "new_user_class_level "  # the published header ends in a blank
)
FIRST = 1_494_003_600  # a whole hour


def line(user: int, second: int, ad: int = 1, click: int = 0, pid: str = "430548_1007") -> str:
    return f"{user},{FIRST + second},{ad},{pid},{1 - click},{click}"


def log(folder: Path, *lines: str, suffix: str = "") -> Path:
    write(folder / f"raw_sample.csv{suffix}", SAMPLE, *lines)
    write(
        folder / f"ad_feature.csv{suffix}",
        ADS,
        "3,6406,83237,1,NULL,99999999.0",
        "1,9,10,11,95471,170.0",
        "2,9,10,11,7,0.01",
    )
    write(folder / f"user_profile.csv{suffix}", USERS, "234,0,5,2,5,,3,0,3", "523,5,2,2,2,1,3,1,")
    return folder


def rows(folder: Path) -> list[Partition]:
    return list(taobao_ad.streams(folder)[0].partitions())


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_joins_and_gaps(tmp_path: Path, suffix: str) -> None:
    log(tmp_path, line(234, 0, ad=1, click=1), line(523, 1, ad=3, pid="430539_1007"), line(7, 2, ad=2), suffix=suffix)
    (stream,) = taobao_ad.streams(tmp_path)
    table = joined(sealed(stream, tmp_path))
    assert column(table, "clicked").tolist() == [1, 0, 0]
    assert column(table, "cate_id").tolist() == [10, 6407, 10]
    assert column(table, "brand").tolist() == [95472, 0, 8]
    assert column(table, "price") == pytest.approx([math.log1p(p) / 4 - 1 for p in (170.0, 99999999.0, 0.01)])
    assert column(table, "cms_segid").tolist() == [1, 6, 0]
    assert column(table, "pvalue_level").tolist() == [0, 2, 0]
    assert column(table, "new_user_class_level").tolist() == [4, 0, 0]
    assert column(table, "occupation").tolist() == [1, 2, 0]
    assert column(table, "pid").tolist() == [4305481007, 4305391007, 4305481007]
    assert set(column(table, "hour")) == {FIRST // 3600 % 24}


def test_any_order_gives_the_same_hours(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    lines = [
        line(int(draw.integers(1, 600)), int(draw.integers(0, 9000)), int(draw.integers(1, 4))) for _ in range(900)
    ]
    log(tmp_path / "a", *lines)
    log(tmp_path / "b", *(lines[i] for i in draw.permutation(900)))
    partitions = sealed(taobao_ad.streams(tmp_path / "a")[0], tmp_path)
    assert len(partitions) == 3 and partitions == rows(tmp_path / "b")


def test_hours_do_not_depend_on_later_ones(tmp_path: Path) -> None:
    lines = [line(i % 50, i * 9, i % 3 + 1, int(i % 20 == 0)) for i in range(900)]
    log(tmp_path / "a", *lines)
    log(tmp_path / "b", *lines[:400])
    assert rows(tmp_path / "a")[:1] == rows(tmp_path / "b")


def test_the_labels_mirror_image_is_in_no_table(tmp_path: Path) -> None:
    (stream,) = taobao_ad.streams(log(tmp_path, line(1, 0)))
    ((_, _, table),) = stream.partitions()
    assert not {"nonclk", "clk"} & set(table.column_names)
    assert stream.schema.feature("user_id").privileged


@pytest.mark.parametrize(
    ("bad", "where"),
    [
        (line(1, 1, ad=4), "column 'adgroup_id': expected an ad of ad_feature.csv, found 4"),
        (line(1, 1)[:-3] + "1,1", "column 'nonclk': expected the opposite of clk"),
        (line(1, 10**7), "column 'time_stamp'"),
        (line(1, 1, pid="430548"), "column 'pid'"),
        (line(1, 1)[:-2], "expected 6 fields"),
    ],
)
def test_bad_lines(tmp_path: Path, bad: str, where: str) -> None:
    log(tmp_path, line(1, 0), bad, line(1, 2))
    with pytest.raises(DataError) as caught:
        rows(tmp_path)
    assert "raw_sample.csv, line 3" in caught.value.message and where in caught.value.message


def test_bad_tables(tmp_path: Path) -> None:
    log(tmp_path, line(1, 0))
    write(tmp_path / "ad_feature.csv", ADS, "1,9,10,11,95471,170.0", "1,9,10,11,95471,170.0")
    with pytest.raises(DataError, match="adgroup_id 1 more than once"):
        rows(tmp_path)
    write(tmp_path / "ad_feature.csv", ADS, "1,9,10,11,95471,free")
    with pytest.raises(DataError, match=r"ad_feature.csv, line 2, column 'price'"):
        rows(tmp_path)
    log(tmp_path, line(1, 0))
    write(tmp_path / "user_profile.csv", USERS.replace("age_level,", ""), "1")
    with pytest.raises(DataError, match="'age_level' missing"):
        rows(tmp_path)


@pytest.mark.parametrize("name", ["raw_sample.csv", "ad_feature.csv", "user_profile.csv"])
def test_each_file_is_needed(tmp_path: Path, name: str) -> None:
    (log(tmp_path, line(1, 0)) / name).unlink()
    with pytest.raises(DataError) as caught:
        taobao_ad.streams(tmp_path)
    assert caught.value.code == "taobao_ad.not_found" and name in caught.value.message
    assert "tianchi" in caught.value.mend


def test_cut_short(tmp_path: Path) -> None:
    log(tmp_path, *(line(i * i, i) for i in range(9000)), suffix=".gz")
    cut_short(tmp_path / "raw_sample.csv.gz")
    with pytest.raises(DataError, match="cut short"):
        rows(tmp_path)
