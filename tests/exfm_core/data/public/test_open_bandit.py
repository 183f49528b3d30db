"""Open Bandit: rows in the published format, and the real small files."""

from pathlib import Path

import numpy as np
import pytest

from exfm_core.data.public import open_bandit
from exfm_core.data.public.chronology import Partition
from exfm_core.errors import DataError

from .raw import column, cut_short, joined, real, sealed, write

ITEMS = 3
HEADER = (
    ",timestamp,item_id,position,click,propensity_score,user_feature_0,user_feature_1,user_feature_2,user_feature_3,"
    + ",".join(f"user-item_affinity_{i}" for i in range(ITEMS))
)
CONTEXT = ",item_id,item_feature_0,item_feature_1,item_feature_2,item_feature_3"


def line(
    row: int, item: int = 1, position: int = 2, click: int = 0, chance: str = "0.25", loves: str = "0.0,3.0,1.0"
) -> str:
    user = ",".join(f"{i:x}" * 32 for i in range(1, 5))
    at = f"2019-11-24 0{row // 3600}:{row // 60 % 60:02d}:{row % 60:02d}.000007+00:00"
    return f"{row},{at},{item},{position},{click},{chance},{user},{loves}"


def log(folder: Path, *lines: str, policy: str = "random", items: int = ITEMS, name: str = "men.csv") -> Path:
    place = folder / policy / "men"
    write(
        place / "item_context.csv",
        CONTEXT,
        *(f"{i},{i},-0.{i}," + f"{i + 1:x}" * 32 + f",{'a' * 32},{'b' * 32}" for i in range(items)),
    )
    write(place / name, HEADER, *lines)
    return folder


def rows(folder: Path) -> list[Partition]:
    return list(open_bandit.streams(folder)[0].partitions())


def test_values_and_the_item_table(tmp_path: Path) -> None:
    log(tmp_path, line(0), line(1, item=2, position=3, click=1, chance="1.0", loves="0.0,0.0,0.0"))
    (stream,) = open_bandit.streams(tmp_path)
    table = joined(sealed(stream, tmp_path))
    assert stream.slug == "random-men" and column(table, "clicked").tolist() == [0, 1]
    assert column(table, "item_feature_0") == pytest.approx([-0.1, -0.2])
    assert column(table, "item_feature_1").tolist() == [int("2" * 15, 16) + 1, int("3" * 15, 16) + 1]
    assert column(table, "user_feature_3").tolist() == [int("4" * 15, 16) + 1] * 2
    assert column(table, "affinity") == pytest.approx([np.log(4), 0.0])
    assert column(table, "affinity_total") == pytest.approx([np.log(5), 0.0])
    assert table.column("affine_items").to_pylist() == [[1, 2], []]
    assert column(table, "position").tolist() == [2, 3]


def test_propensity_is_kept_and_no_feature(tmp_path: Path) -> None:
    (stream,) = open_bandit.streams(log(tmp_path, line(0), line(1, chance="0.5")))
    assert column(joined(sealed(stream, tmp_path)), "propensity").tolist() == [0.25, 0.5]
    assert not [name for name in stream.schema.columns if "propensity" in name]


def test_streams_partitions_and_the_future(tmp_path: Path) -> None:
    lines = [line(i, item=i % 3, click=int(i % 50 == 0)) for i in range(0, 9000, 7)]
    log(tmp_path / "a", *lines)
    log(tmp_path / "a", *lines, policy="bts", name="men.csv.gz")
    log(tmp_path / "b", *lines[:600])
    made = {stream.slug: stream for stream in open_bandit.streams(tmp_path / "a", partition_seconds=3600)}
    assert list(made) == ["bts-men", "random-men"]
    partitions = sealed(made["random-men"], tmp_path)
    assert len(partitions) == 3 and joined(partitions) == joined(sealed(made["bts-men"], tmp_path))
    assert joined(partitions).slice(0, 600).equals(joined(rows(tmp_path / "b")))


@pytest.mark.parametrize(
    ("bad", "where"),
    [
        (line(1, item=3), "column 'item_id': expected an item of item_context.csv below 3"),
        (line(1, position=4), "column 'position'"),
        (line(1, chance="0"), "column 'propensity_score'"),
        (line(1, chance="1.1"), "column 'propensity_score'"),
        (line(1, loves="1.0,nan,0.0"), "column 'user-item_affinity_1'"),
        (line(1, loves="1.0,0.0"), "expected 13 fields"),
        (line(1).replace("+00:00", ""), "column 'timestamp'"),
        (line(1).replace("1" * 32, "1" * 31), "column 'user_feature_0'"),
    ],
)
def test_bad_lines(tmp_path: Path, bad: str, where: str) -> None:
    log(tmp_path, line(0), bad)
    with pytest.raises(DataError) as caught:
        rows(tmp_path)
    assert "men.csv, line 3" in caught.value.message and where in caught.value.message


def test_an_item_without_context(tmp_path: Path) -> None:
    log(tmp_path, line(0), line(1, item=2), items=2)
    with pytest.raises(DataError, match="line 3, column 'item_id'"):
        rows(tmp_path)


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        open_bandit.streams(tmp_path)
    assert caught.value.code == "open_bandit.not_found" and "zozo" in caught.value.mend
    (log(tmp_path, line(0)) / "random" / "men" / "item_context.csv").unlink()
    with pytest.raises(DataError, match=r"no item_context.csv"):
        rows(tmp_path)


def test_cut_short(tmp_path: Path) -> None:
    log(tmp_path, *(line(i, chance=f"0.{i * i + 1}") for i in range(8000)), name="men.csv.gz")
    cut_short(tmp_path / "random" / "men" / "men.csv.gz")
    with pytest.raises(DataError, match="cut short"):
        rows(tmp_path)


def test_the_real_small_files(tmp_path: Path) -> None:
    clicks = {}
    for stream in open_bandit.streams(real("open_bandit_small")):
        table = joined(sealed(stream, tmp_path, every=7))
        assert table.num_rows == 10_000 and 0 < column(table, "propensity").min() <= 1
        clicks[stream.slug] = int(column(table, "clicked").sum())
    assert clicks == {"bts-men": 69, "bts-women": 46, "random-men": 46, "random-women": 46}
