"""MovieLens-1M in its published raw format: reading, and what each rating's row may know of the past. Torch-free.

Files as GroupLens publishes them: ``ratings.dat`` (or ``ratings.dat.gz``; the ratings of some of the users are fine),
``users.dat``, ``movies.dat``; fields separated by ``::``, Latin-1. Terms: research use, acknowledgement, no
redistribution and no revenue without permission (README of the data set).
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv

from exfm_core.errors import DataError

Ints = npt.NDArray[np.int64]

URL = "https://files.grouplens.org/datasets/movielens/ml-1m.zip"
ARCHIVE_MD5 = "c4d9eecfca2ab87c1945afe126590906"
ALL_USERS, ALL_RATINGS, LAST_MOVIE = 6040, 1_000_209, 3952
AGES = (1, 18, 25, 35, 45, 50, 56)
GENRES = (
    "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip
_MAX_BYTES = 1 << 30
_EPOCHS = (900_000_000, 1_100_000_000)


@dataclass(frozen=True, slots=True)
class Log:
    """The raw log. ``user``, ``movie``, ``rating``, ``time`` (s): one entry per rating, by time, then user, then movie.

    Users: ``gender`` 0/1, ``age`` 0..6, ``occupation`` 0..20, ``zip_region`` 0..9, all indexed by user id.
    Movies: ``year`` and ``genres`` (positions in GENRES), indexed by movie id.
    """

    name: str
    user: Ints
    movie: Ints
    rating: Ints
    time: Ints
    gender: Ints
    age: Ints
    occupation: Ints
    zip_region: Ints
    year: Ints
    genres: tuple[tuple[int, ...], ...]


def find(root: Path) -> Path:
    """Return the folder below ``root`` that holds the data set; DataError with the way to get it if there is none."""
    for folder in (root, root / "ml-1m"):
        if (folder / "ratings.dat").is_file() or (folder / "ratings.dat.gz").is_file():
            return folder
    raise DataError(
        "movielens.not_found",
        f"There is no ratings.dat or ratings.dat.gz in {root} or {root / 'ml-1m'}.",
        f"Get it from its publisher, GroupLens: mkdir -p {root} && cd {root} && curl -LO {URL} && "
        f"echo '{ARCHIVE_MD5}  ml-1m.zip' | md5sum -c && unzip ml-1m.zip; or point EXFM_DATA at the folder it is in. "
        "Its README sets the terms: research use only, no redistribution, no commercial use.",
    )


def read(folder: Path) -> Log:
    """Read the three files of ``folder``. DataError names the file and line of whatever is missing or malformed."""
    gender, age, occupation, zip_region = _read_users(folder / "users.dat")
    year, genres = _read_movies(folder / "movies.dat")
    user, movie, rating, time, name = _read_ratings(folder)
    for what, ids, known in (("user", user, gender), ("movie", movie, year)):
        if ids.max() >= len(known) or (known[ids] < 0).any():
            unknown = ids[(ids >= len(known)) | (known[np.minimum(ids, len(known) - 1)] < 0)][0]
            raise DataError(
                "movielens.unknown_id",
                f"ratings.dat rates {what} {unknown}, who is not in {what}s.dat.",
                f"Take all three files from one copy of the data set: {URL}",
            )
    order = np.lexsort((movie, user, time))
    return Log(
        name, user[order], movie[order], rating[order], time[order], gender, age, occupation, zip_region, year, genres
    )


def _content(path: Path) -> bytes:
    try:
        if path.suffix == ".gz":
            with gzip.open(path) as file:
                content = file.read(_MAX_BYTES + 1)
        else:
            with path.open("rb") as file:
                content = file.read(_MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise DataError("movielens.missing_file", f"There is no {path}.", f"It is in {URL}") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(
            "movielens.truncated", f"{path} is cut short or damaged ({error}).", f"Copy it again, or get {URL}"
        ) from error
    if not content or len(content) > _MAX_BYTES:
        raise DataError("movielens.bad_size", f"{path} is empty or larger than 1 GiB.", f"Get it again from {URL}")
    return content


def _malformed(path: Path, line: int, text: bytes, expected: str) -> DataError:
    shown = text.decode("latin-1")[:60]
    return DataError(
        "movielens.malformed",
        f"{path}, line {line}: expected {expected}, found {shown!r}.",
        "If it is the last line, the file was cut short: remove the line or copy the file again.",
    )


def _read_ratings(folder: Path) -> tuple[Ints, Ints, Ints, Ints, str]:
    path = folder / "ratings.dat"
    path = path if path.is_file() else folder / "ratings.dat.gz"
    content = _content(path)
    names = ("user", "movie", "rating", "time")
    try:
        table = csv.read_csv(
            io.BytesIO(content.replace(b"::", b"\t")),
            csv.ReadOptions(column_names=names, encoding="latin1"),
            csv.ParseOptions(delimiter="\t", quote_char=False, ignore_empty_lines=False),
            csv.ConvertOptions(column_types=dict.fromkeys(names, pa.int64()), null_values=[]),
        )
    except pa.ArrowException as error:
        raise _first_bad_rating(path, content) from error
    user, movie, rating, time = (table.column(name).to_numpy() for name in names)
    good = (user >= 1) & (movie >= 1) & (rating >= 1) & (rating <= 5) & (time >= _EPOCHS[0]) & (time <= _EPOCHS[1])
    if not good.all():
        raise _first_bad_rating(path, content)
    return user, movie, rating, time, _covered(user)


def _first_bad_rating(path: Path, content: bytes) -> DataError:
    pattern = re.compile(rb"[1-9]\d{0,8}::[1-9]\d{0,8}::[1-5]::(9\d{8}|10\d{8})\r?")
    for number, line in enumerate(content.split(b"\n"), 1):
        if not pattern.fullmatch(line):
            return _malformed(path, number, line, "UserID::MovieID::Rating(1-5)::Timestamp")
    return _malformed(path, 1, content[:60], "UserID::MovieID::Rating(1-5)::Timestamp")


def _covered(user: Ints) -> str:
    users = np.unique(user)
    if len(users) == ALL_USERS and len(user) == ALL_RATINGS:
        return "ML-1M"
    if len(users) == users[-1] - users[0] + 1:
        return f"ML-1M, users {users[0]}–{users[-1]}"
    return f"ML-1M, {len(users)} of {ALL_USERS} users"


def _read_users(path: Path) -> tuple[Ints, Ints, Ints, Ints]:
    columns = np.full((4, ALL_USERS + 1), -1, np.int64)
    pattern = re.compile(rb"(\d{1,4})::([FM])::(\d{1,2})::(\d{1,2})::(\d)[\d-]*\s*")
    for number, line in enumerate(_content(path).splitlines(), 1):
        match = pattern.fullmatch(line)
        if not match or not 1 <= int(match[1]) <= ALL_USERS or int(match[3]) not in AGES or int(match[4]) > 20:
            raise _malformed(path, number, line, "UserID::Gender::Age::Occupation::Zip-code")
        columns[:, int(match[1])] = (match[2] == b"F", AGES.index(int(match[3])), int(match[4]), int(match[5]))
    return columns[0], columns[1], columns[2], columns[3]


def _read_movies(path: Path) -> tuple[Ints, tuple[tuple[int, ...], ...]]:
    year = np.full(LAST_MOVIE + 1, -1, np.int64)
    genres: list[tuple[int, ...]] = [()] * (LAST_MOVIE + 1)
    pattern = re.compile(rb"(\d{1,4})::.*\((\d{4})\)\s*::([^:]+)")
    for number, line in enumerate(_content(path).splitlines(), 1):
        match = pattern.fullmatch(line)
        names = match[3].decode("latin-1").strip().split("|") if match else [""]
        if not match or not 1 <= int(match[1]) <= LAST_MOVIE or not set(names) <= set(GENRES):
            raise _malformed(path, number, line, "MovieID::Title (Year)::Genre|Genre|…")
        year[int(match[1])] = int(match[2])
        genres[int(match[1])] = tuple(GENRES.index(name) for name in names)
    return year, tuple(genres)
