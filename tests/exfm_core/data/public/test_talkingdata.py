"""TalkingData: rows in the published format, and the real sample."""

from pathlib import Path

import numpy as np
import pytest

from exfm_core.data.public import talkingdata
from exfm_core.errors import DataError

from .raw import column, cut_short, joined, real, sealed, write

HEADER = "ip,app,device,os,channel,click_time,attributed_time,is_attributed"


def line(ip: int, second: int, installed: str = "") -> str:
    at = f"2017-11-07 {9 + second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
    return f"{ip},12,1,13,497,{at},{installed},{int(bool(installed))}"


def rows(folder: Path, **options: int) -> list[tuple[object, object, object]]:
    return list(talkingdata.streams(folder, **options)[0].partitions())


def test_shuffled_clicks_become_hours_in_order(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    lines = [line(int(ip), int(s)) for ip, s in zip(draw.integers(1, 9, 900), draw.integers(0, 7200, 900), strict=True)]
    lines[5] = line(3, 40, "2017-11-08 01:02:03")
    write(tmp_path / "a" / "train.csv", HEADER, *lines)
    write(tmp_path / "b" / "train_sample.csv.gz", HEADER, *(lines[i] for i in draw.permutation(900)))
    partitions = sealed(talkingdata.streams(tmp_path / "a")[0], tmp_path)
    assert len(partitions) == 2 and joined(partitions).num_rows == 900
    assert joined(partitions).equals(joined(rows(tmp_path / "b")))
    assert column(joined(partitions), "installed").sum() == 1
    assert set(column(partitions[1][2], "hour")) == {10}


def test_time_of_install_is_in_no_table(tmp_path: Path) -> None:
    write(tmp_path / "train.csv", HEADER, line(1, 0), line(2, 1, "2017-11-07 23:00:00"))
    (stream,) = talkingdata.streams(tmp_path)
    ((_, _, table),) = stream.partitions()
    assert set(table.column_names) == {*talkingdata.IDS, "hour", "event_time", "installed"}
    assert "attributed_time" not in stream.schema.columns
    later = write(tmp_path / "later" / "train.csv", HEADER, line(1, 0), line(2, 1, "2017-11-09 10:00:00"))
    assert rows(later.parent)[0][2].equals(table)  # type: ignore[attr-defined]


def test_hours_do_not_depend_on_later_ones(tmp_path: Path) -> None:
    lines = [line(i % 7, i * 11) for i in range(900)]
    write(tmp_path / "a" / "train.csv", HEADER, *lines)
    write(tmp_path / "b" / "train.csv", HEADER, *(text for text in lines if " 09:" in text))
    assert rows(tmp_path / "a")[:1] == rows(tmp_path / "b")


@pytest.mark.parametrize(
    ("bad", "where"),
    [
        (line(1, 0)[:-1] + "1", "attributed_time"),
        (line(1, 0, "2017-11-08 01:02:03")[:-1] + "0", "attributed_time"),
        (line(1, 5, "2017-11-07 09:00:04"), "attributed_time"),
        (line(1, 5, "later"), "attributed_time"),
        (line(-1, 5), "ip"),
        (line(1, 5).replace("2017-11-07", "07.11.2017"), "click_time"),
    ],
)
def test_bad_lines(tmp_path: Path, bad: str, where: str) -> None:
    write(tmp_path / "train.csv", HEADER, line(1, 0), bad, line(1, 9))
    with pytest.raises(DataError, match=rf"train.csv, line 3, column '{where}'"):
        rows(tmp_path)


def test_the_file_without_labels_and_cut_short(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        talkingdata.streams(tmp_path)
    assert caught.value.code == "talkingdata.not_found" and "kaggle.com" in caught.value.mend
    write(tmp_path / "train.csv", "click_id,ip,app,device,os,channel,click_time", "1,2,3,4,5,6,2017-11-10 04:00:00")
    with pytest.raises(DataError, match="'is_attributed' missing"):
        rows(tmp_path)
    (tmp_path / "train.csv").unlink()
    cut_short(write(tmp_path / "train_sample.csv.gz", HEADER, *(line(i * i, i % 7000) for i in range(9000))))
    with pytest.raises(DataError, match="cut short"):
        rows(tmp_path)


def test_the_real_sample(tmp_path: Path) -> None:
    (stream,) = talkingdata.streams(real("talkingdata_sample"))
    partitions = sealed(stream, tmp_path, every=12)
    table = joined(partitions)
    assert len(partitions) == 72 and table.num_rows == 100_000 and column(table, "installed").sum() == 227
    assert len(np.unique(column(table, "ip"))) == 34_857
