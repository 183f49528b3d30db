"""Criteo: rows in the published format, and the real head of the file."""

import math
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from exfm_core.data.public import criteo
from exfm_core.errors import DataError

from .raw import column, cut_short, joined, real, sealed, write


def line(label: int = 0, number: str = "3", category: str = "68fd1e64") -> str:
    return "\t".join([str(label), *[number] * 13, *[category] * 26])


def test_values_and_gaps(tmp_path: Path) -> None:
    write(tmp_path / "train.txt", line(1), line(0, "-2", "ffffffff"), line(0, "", ""))
    (stream,) = criteo.streams(tmp_path)
    table = joined(sealed(stream, tmp_path))
    assert column(table, "clicked").tolist() == [1, 0, 0]
    assert column(table, "i5") == pytest.approx([math.log(4) / 4, -math.log(3) / 4, 0.0])
    assert column(table, "missing").tolist() == [0, 0, 2**13 - 1]
    assert column(table, "c26").tolist() == [0x68FD1E64 + 1, 0xFFFFFFFF + 1, 0]
    assert stream.schema.user_key is None and len(stream.schema.features) == 13 + 1 + 26


def test_one_gap_is_one_bit(tmp_path: Path) -> None:
    cells = line().split("\t")
    cells[3] = ""
    write(tmp_path / "train.txt.gz", "\t".join(cells))
    table = joined(list(criteo.streams(tmp_path)[0].partitions()))
    assert column(table, "missing").tolist() == [1 << 2] and column(table, "i3").tolist() == [0.0]


def test_row_order_is_time_and_cuts_the_partitions(tmp_path: Path) -> None:
    write(tmp_path / "train.txt", *(line(i % 2, str(i)) for i in range(2500)))
    (stream,) = criteo.streams(tmp_path, partition_seconds=10)
    partitions = sealed(stream, tmp_path)
    assert [table.num_rows for _, _, table in partitions] == [1000, 1000, 500]
    assert partitions[0][0] == criteo.START and partitions[2][1] - criteo.START == timedelta(seconds=30)
    times = column(joined(partitions), "event_time").astype("datetime64[us]").astype(np.int64)
    assert (np.diff(times) == criteo.ROW_US).all()
    assert column(joined(partitions), "i1") == pytest.approx(np.log1p(np.arange(2500)) / 4, abs=1e-6)


def test_rows_do_not_depend_on_later_ones(tmp_path: Path) -> None:
    lines = [line(i % 2, str(i), f"{i:08x}") for i in range(2500)]
    write(tmp_path / "a" / "train.txt", *lines)
    write(tmp_path / "b" / "train.txt", *lines[:1700], *lines[:1699:-1])
    one, other = (joined(list(criteo.streams(tmp_path / name)[0].partitions())) for name in "ab")
    assert one.slice(0, 1700).equals(other.slice(0, 1700))


@pytest.mark.parametrize(
    ("bad", "where"),
    [
        (line(2), "column 'label'"),
        (line(number="1.5"), "column 'i1'"),
        (line(category="68FD1E64"), "column 'c1'"),
        (line()[2:], "expected 40 fields"),
    ],
)
def test_bad_lines(tmp_path: Path, bad: str, where: str) -> None:
    write(tmp_path / "train.txt", line(), bad)
    with pytest.raises(DataError, match=rf"train.txt, line 2.*{where}"):
        list(criteo.streams(tmp_path)[0].partitions())


def test_missing_and_cut_short(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        criteo.streams(tmp_path)
    assert caught.value.code == "criteo.not_found" and "kaggle.com" in caught.value.mend
    cut_short(write(tmp_path / "train.txt.gz", *(line(0, str(i), f"{i * i:08x}") for i in range(9000))))
    with pytest.raises(DataError, match="cut short"):
        list(criteo.streams(tmp_path)[0].partitions())


def test_the_real_head(tmp_path: Path) -> None:
    (stream,) = criteo.streams(real("ctr_head10k"), partition_seconds=10)
    partitions = sealed(stream, tmp_path)
    table = joined(partitions)
    assert len(partitions) == 10 and table.num_rows == 10_000 and column(table, "clicked").sum() == 2182
