"""Rows written in MovieLens' published format, for machines without the data set; and the real files where they are."""

import gzip
import os
from pathlib import Path

import numpy as np

GENRES = ("Horror", "War|Western", "Animation|Children's", "Sci-Fi", "Crime|Drama", "Action", "Comedy|Romance", "Drama")


def write_raw(folder: Path, *, users: int = 60, movies: int = 80, seed: int = 0, compressed: bool = False) -> Path:
    """Write ratings, users and movies as GroupLens does (Latin-1, ``::``, grouped by user); return the folder."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for user in range(1, users + 1):
        start = 970_000_000 + int(rng.integers(0, 5_000_000))
        chosen = rng.permutation(movies)[:40] + 1
        times = start + np.sort(rng.integers(0, 30, 40)) * 7
        lines += [
            f"{user}::{movie}::{int(rng.integers(1, 6))}::{time}\n" for movie, time in zip(chosen, times, strict=True)
        ]
    content = "".join(lines).encode("latin-1")
    if compressed:
        (folder / "ratings.dat.gz").write_bytes(gzip.compress(content))
    else:
        (folder / "ratings.dat").write_bytes(content)
    people = [f"{user}::{'FM'[user % 2]}::25::{user % 21}::{user % 10}2345-678\n" for user in range(1, users + 1)]
    (folder / "users.dat").write_bytes("".join(people).encode("latin-1"))
    titles = [f"{m}::Fïlm: Part {m} (19{m % 60 + 40})::{GENRES[m % len(GENRES)]}\n" for m in range(1, movies + 1)]
    (folder / "movies.dat").write_bytes("".join(titles).encode("latin-1"))
    return folder


def real_root() -> Path | None:
    """The folder with the real data set, if this machine has it."""
    root = Path(os.environ.get("EXFM_DATA", "var/data"))
    return root if any((root / "ml-1m" / name).is_file() for name in ("ratings.dat", "ratings.dat.gz")) else None
