"""The raw format is read as published; whatever is missing, cut or malformed is named with file and line."""

from pathlib import Path

import numpy as np
import pytest

from exfm_core.data.public import movielens
from exfm_core.errors import DataError

from .raw_movielens import real_root, write_raw


@pytest.mark.parametrize("compressed", [False, True])
def test_published_format_is_read(tmp_path: Path, compressed: bool) -> None:
    write_raw(tmp_path / "ml-1m", compressed=compressed)
    log = movielens.read(movielens.find(tmp_path))
    assert log.name == "ML-1M, users 1–60" and len(log.user) == 2400
    assert (np.diff(log.time) >= 0).all() and set(np.unique(log.rating)) == {1, 2, 3, 4, 5}
    assert log.gender[1] == 0 and log.gender[2] == 1 and log.age[1] == 2 and log.zip_region[7] == 7
    assert log.year[1] == 1941 and log.genres[2] == (2, 3) and log.year[90] == -1


def test_some_users_only_are_named(tmp_path: Path) -> None:
    folder = write_raw(tmp_path)
    kept = [line for line in (folder / "ratings.dat").read_text().splitlines(True) if not line.startswith("7::")]
    (folder / "ratings.dat").write_text("".join(kept))
    assert movielens.read(folder).name == "ML-1M, 59 of 6040 users"


def test_a_missing_data_set_is_answered_with_the_way_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        movielens.find(tmp_path)
    assert movielens.URL in caught.value.mend and movielens.ARCHIVE_MD5 in caught.value.mend
    assert "no redistribution" in caught.value.mend and "EXFM_DATA" in caught.value.mend


@pytest.mark.parametrize("name", ["users.dat", "movies.dat"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    (write_raw(tmp_path) / name).unlink()
    with pytest.raises(DataError, match=f"There is no .*{name}"):
        movielens.read(tmp_path)


@pytest.mark.parametrize("cut", [0.5, 0.999])
def test_a_cut_archive_is_an_error(tmp_path: Path, cut: float) -> None:
    path = write_raw(tmp_path, compressed=True) / "ratings.dat.gz"
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * cut)])
    with pytest.raises(DataError, match=r"ratings.dat.gz is cut short or damaged"):
        movielens.read(tmp_path)


@pytest.mark.parametrize(
    ("name", "line", "text"),
    [
        ("ratings.dat", 3, "1::12::6::978300760"),
        ("ratings.dat", 4, "1::12::3"),
        ("ratings.dat", 5, "1,12,3,978300760"),
        ("ratings.dat", 6, "1::12::3::97830"),
        ("ratings.dat", 7, ""),
        ("users.dat", 2, "2::X::25::3::12345"),
        ("users.dat", 3, "3::M::26::3::12345"),
        ("movies.dat", 4, "4::No Year::Drama"),
        ("movies.dat", 5, "5::Title (1990)::Opera"),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, name: str, line: int, text: str) -> None:
    path = write_raw(tmp_path) / name
    lines = path.read_bytes().split(b"\n")
    lines[line - 1] = text.encode()
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(DataError, match=rf"{name}, line {line}: expected ") as caught:
        movielens.read(tmp_path)
    assert f"found {text!r}." in caught.value.message


def test_a_last_line_that_was_cut_is_named(tmp_path: Path) -> None:
    path = write_raw(tmp_path) / "ratings.dat"
    path.write_bytes(path.read_bytes()[:-6])
    with pytest.raises(DataError, match=r"line 2400") as caught:
        movielens.read(tmp_path)
    assert "cut short" in caught.value.mend


def test_ids_that_the_other_files_do_not_know_are_named(tmp_path: Path) -> None:
    folder = write_raw(tmp_path)
    movies = (folder / "movies.dat").read_bytes().splitlines(keepends=True)
    (folder / "movies.dat").write_bytes(b"".join(movies[:50]))
    with pytest.raises(DataError, match=r"rates movie \d+, who is not in movies.dat|not in movies.dat"):
        movielens.read(folder)


@pytest.mark.skipif(real_root() is None, reason="the real ratings are not on this machine (EXFM_DATA)")
def test_the_real_files_are_read() -> None:
    root = real_root()
    assert root is not None
    log = movielens.read(movielens.find(root))
    if log.name == "ML-1M, users 1–2999":
        assert np.bincount(log.rating)[1:].tolist() == [27_472, 53_838, 127_216, 170_579, 108_545]
    assert log.name.startswith("ML-1M") and (log.year[log.movie] > 1900).all()
