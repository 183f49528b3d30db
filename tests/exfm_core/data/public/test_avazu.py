"""Avazu: rows in the published format, and the real head of the file."""

from pathlib import Path

import numpy as np
import pytest

from exfm_core.data.public import avazu
from exfm_core.errors import DataError

from .raw import column, cut_short, joined, real, sealed, write

HEADER = ",".join(avazu.FORMAT.names)


def line(
    click: int = 0, hour: str = "14102100", device: str = "a99f214a", ip: str = "ddd2926e", c20: str = "-1"
) -> str:
    site = "1fbe01fe,f3845767,28905ebd,ecad2386,7801e8d9,07d7df22"
    return (
        f"10000094181510942730,{click},{hour},1005,0,{site},{device},{ip},44956a24,1,2,15706,320,50,1722,0,35,{c20},79"
    )


@pytest.mark.parametrize("name", ["train.csv", "train.csv.gz", "train.gz"])
def test_values(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, HEADER, line(1), line(0, "14103123", c20="100084"))
    (stream,) = avazu.streams(tmp_path)
    partitions = sealed(stream, tmp_path)
    table = joined(partitions)
    assert [start.isoformat() for start, _, _ in partitions] == [
        "2014-10-21T00:00:00+00:00", "2014-10-31T23:00:00+00:00",
    ]  # fmt: skip
    assert column(table, "clicked").tolist() == [1, 0] and column(table, "hour").tolist() == [0, 23]
    assert column(table, "c20").tolist() == [0, 100085] and column(table, "c1").tolist() == [1006, 1006]
    assert column(table, "site_id").tolist() == [0x1FBE01FE + 1] * 2
    assert "id" not in {feature.name for feature in stream.schema.features}


def test_a_phone_without_an_id_is_known_by_address_and_model(tmp_path: Path) -> None:
    lines = [line(), line(), line(ip="ddd2926f"), line(device="00000001"), line(device="00000001", ip="ddd2926f")]
    write(tmp_path / "train.csv", HEADER, *lines)
    user = column(joined(sealed(avazu.streams(tmp_path)[0], tmp_path)), "user_id")
    assert user[0] == user[1] != user[2] and user[3] == user[4] == 2
    assert user[0] >= 2**33 and user[2] >= 2**33


def test_an_hour_is_never_split_and_later_rows_change_nothing(tmp_path: Path) -> None:
    lines = [line(i % 2, f"141021{i // 700:02d}", ip=f"{i:08x}") for i in range(2100)]
    write(tmp_path / "a" / "train.csv", HEADER, *lines)
    write(tmp_path / "b" / "train.csv", *lines[:1400])
    hours = sealed(avazu.streams(tmp_path / "a")[0], tmp_path)
    assert [table.num_rows for _, _, table in hours] == [700] * 3
    assert joined(hours).slice(0, 1400).equals(joined(list(avazu.streams(tmp_path / "b")[0].partitions())))
    (two, one) = avazu.streams(tmp_path / "a", partition_seconds=7200)[0].partitions()
    assert (two[2].num_rows, one[2].num_rows) == (1400, 700)
    with pytest.raises(DataError, match="multiple of 3600"):
        avazu.streams(tmp_path / "a", partition_seconds=900)


@pytest.mark.parametrize("hour", ["14023000", "14130100", "14102124", "1410210", "14100000", "-4102100"])
def test_hours_that_are_none(tmp_path: Path, hour: str) -> None:
    write(tmp_path / "train.csv", HEADER, line(), line(hour=hour))
    with pytest.raises(DataError, match=r"line 3, column 'hour': expected an hour as YYMMDDHH"):
        list(avazu.streams(tmp_path)[0].partitions())


def test_hours_of_all_months() -> None:
    hours = np.array([14022823, 16022912, 14123123, 70010100])
    seconds, fine = avazu.hour_times(hours)
    want = ["2014-02-28T23", "2016-02-29T12", "2014-12-31T23", "2070-01-01T00"]
    assert fine.all() and seconds.astype("datetime64[s]").astype("datetime64[h]").astype(str).tolist() == want


def test_rows_out_of_order(tmp_path: Path) -> None:
    write(tmp_path / "train.csv", HEADER, line(hour="14102101"), line())
    with pytest.raises(DataError, match="Row 1 of the log"):
        list(avazu.streams(tmp_path)[0].partitions())


def test_the_file_without_labels_and_other_bad_files(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        avazu.streams(tmp_path)
    assert caught.value.code == "avazu.not_found" and "kaggle.com" in caught.value.mend
    write(tmp_path / "train.csv", HEADER.replace(",click", ""), line())
    with pytest.raises(DataError, match="'click' missing"):
        list(avazu.streams(tmp_path)[0].partitions())
    write(tmp_path / "train.csv", line(), line(device="A99F214A"))
    with pytest.raises(DataError, match="line 2, column 'device_id'"):
        list(avazu.streams(tmp_path)[0].partitions())
    (tmp_path / "train.csv").unlink()
    cut_short(write(tmp_path / "train.gz", HEADER, *(line(ip=f"{i * i:08x}") for i in range(5000))))
    with pytest.raises(DataError, match="cut short"):
        list(avazu.streams(tmp_path)[0].partitions())


def test_the_real_head(tmp_path: Path) -> None:
    (stream,) = avazu.streams(real("ctr_head10k"))
    ((_, _, table),) = sealed(stream, tmp_path)
    assert table.num_rows == 9999 and column(table, "clicked").sum() == 1706
