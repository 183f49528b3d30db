"""The Globo log as published: archive or folder, whole or in part, and what is said of a bad one."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from exfm_core.data.public import globo
from exfm_core.data.public.globo import HOUR_MS, ORIGIN_MS, Log
from exfm_core.errors import DataError

from .raw import cut_short, real, write
from .raw_globo import HEADER, clicks, pack, write_log


def same(one: Log, other: Log) -> bool:
    return all(np.array_equal(getattr(one, field.name), getattr(other, field.name)) for field in fields(Log))


def test_folder_compressed_folder_and_archive_are_one_log(tmp_path: Path) -> None:
    log = clicks()
    plain = globo.read(write_log(tmp_path / "a" / "clicks", log).parent)
    assert same(plain, globo.read(write_log(tmp_path / "b", log, suffix=".gz")))
    (tmp_path / "c" / "globo_clicks").mkdir(parents=True)
    pack(tmp_path / "a" / "clicks", tmp_path / "c" / "globo_clicks")
    assert same(plain, globo.read(tmp_path / "c"))
    assert plain.files == 8 and len(plain.time) == len(log)
    order = np.lexsort((plain.article, plain.user, plain.time))
    assert (order == np.arange(len(log))).all()


def test_order_of_lines_does_not_matter(tmp_path: Path) -> None:
    log = clicks()
    shuffled = [log[i] for i in np.random.default_rng(3).permutation(len(log))]
    assert same(globo.read(write_log(tmp_path / "a", log)), globo.read(write_log(tmp_path / "b", shuffled)))


@pytest.mark.parametrize("packed", [True, False])
def test_first_hours(tmp_path: Path, packed: bool) -> None:
    log = clicks()
    folder = write_log(tmp_path / "clicks", log)
    if packed:
        folder = pack(folder, tmp_path / "clicks").parent
        for path in (folder / "clicks").glob("*.csv"):
            path.unlink()
    part = globo.read(tmp_path, hours=3)
    assert len(part.time) == sum(click.time < 3 * HOUR_MS for click in log)
    assert part.time.max() < ORIGIN_MS + 3 * HOUR_MS and part.files == 4


def test_some_of_the_files_and_hours_without_clicks_are_fine(tmp_path: Path) -> None:
    folder = write_log(tmp_path, clicks())
    (folder / "clicks_hour_001.csv").unlink()
    write(folder / "clicks_hour_004.csv", HEADER)
    assert globo.read(folder).files == 7


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        globo.read(tmp_path)
    assert caught.value.code == "globo.not_found" and "clicks.tar.gz" in caught.value.message
    write(tmp_path / "clicks_hour_000.csv", HEADER)
    with pytest.raises(DataError, match="hold no clicks"):
        globo.read(tmp_path)
    with pytest.raises(DataError, match="0 hours"):
        globo.read(tmp_path, hours=0)


@pytest.mark.parametrize(
    ("column", "value"), [(0, "-1"), (4, "x"), (5, "1506826799999"), (10, "64"), (11, ""), (6, "1.5")]
)
def test_bad_values_are_named(tmp_path: Path, column: int, value: str) -> None:
    log = clicks(50, hours=1)
    cells = log[7].line.split(",")
    cells[column] = value
    name = HEADER.split(",")[column]
    write(tmp_path / "clicks_hour_000.csv", HEADER, *(click.line for click in log[:7]), ",".join(cells))
    with pytest.raises(DataError, match=rf"clicks_hour_000.csv, line 9, column '{name}': .* found '{value}'"):
        globo.read(tmp_path)


@pytest.mark.parametrize("share", [0.02, 0.5, 0.999])
def test_an_archive_cut_short_is_refused(tmp_path: Path, share: float) -> None:
    (tmp_path / "log").mkdir()
    archive = pack(write_log(tmp_path / "files", clicks()), tmp_path / "log") / "clicks.tar.gz"
    cut_short(archive, share)
    with pytest.raises(DataError) as caught:
        globo.read(archive.parent)
    assert caught.value.code in {"globo.truncated", "globo.damaged"}
    assert str(archive) in caught.value.message and globo.FORMAT.source in caught.value.mend


def test_an_archive_of_something_else(tmp_path: Path) -> None:
    write(tmp_path / "files" / "readme.txt", "hello")
    with pytest.raises(DataError, match="holds no clicks_hour_"):
        globo.read(pack(tmp_path / "files", tmp_path))
    (tmp_path / "clicks.tar.gz").write_bytes(b"no archive at all" * 100)
    with pytest.raises(DataError, match="no whole tar archive"):
        globo.read(tmp_path)


def test_the_real_archive() -> None:
    log = globo.read(real("globo_clicks"), hours=12)
    assert log.files == 13 and len(log.time) == 32_322
    assert log.time[0] == 1_506_826_800_026 and (np.diff(log.time) >= 0).all()
