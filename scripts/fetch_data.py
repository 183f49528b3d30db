"""`make fetch-data DATASET=…`: shows the publisher's terms, downloads from the publisher, checks, unpacks.
Nothing half-written."""

import argparse
import hashlib
import os
import shutil
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Source:
    """Where a public data set comes from and under which terms."""

    title: str
    url: str
    sha256: str
    megabytes: int
    folder: str
    files: tuple[str, ...]
    terms: str


SOURCES = {
    "movielens-1m": Source(
        title="MovieLens 1M (GroupLens Research, University of Minnesota)",
        url="https://files.grouplens.org/datasets/movielens/ml-1m.zip",
        sha256="a6898adb50b9ca05aa231689da44c217cb524e7ebd39d264c56e2832f2c54e20",
        megabytes=6,
        folder="ml-1m",
        files=("ratings.dat", "users.dat", "movies.dat", "README"),
        terms=(
            "For research. No endorsement may be implied; publications must cite Harper and Konstan (2015,\n"
            "doi 10.1145/2827872); the data may not be passed on without permission, nor used commercially\n"
            "without permission of the GroupLens project.\n"
            "The full terms are in the README inside the archive."
        ),
    )
}


class FetchError(RuntimeError):
    """A sentence and what mends it."""


def download(source: Source, target: Path) -> None:
    """Write the archive and compare its hash. Raises FetchError."""
    digest = hashlib.sha256()
    try:
        with urllib.request.urlopen(source.url, timeout=60) as response, target.open("wb") as file:
            while piece := response.read(1 << 20):
                digest.update(piece)
                file.write(piece)
    except (urllib.error.URLError, OSError) as problem:
        reason = getattr(problem, "reason", problem)
        raise FetchError(
            f"{source.url} cannot be fetched ({reason}). Fetch it on a machine with internet, unpack it, and name "
            f"the folder above {source.folder}/: make demo DATASET=… EXFM_DATA=/path"
        ) from None
    if digest.hexdigest() != source.sha256:
        raise FetchError(
            f"The archive's SHA-256 is {digest.hexdigest()}, not {source.sha256}. "
            "It is damaged or was replaced; run the command again."
        )


def unpack(source: Source, archive: Path, data: Path) -> Path:
    """Unpack the named files beside their place and move them there in one step."""
    place = data / source.folder
    with tempfile.TemporaryDirectory(dir=data) as half, zipfile.ZipFile(archive) as bundle:
        fresh = Path(half) / source.folder
        fresh.mkdir()
        for name in source.files:
            with bundle.open(f"{source.folder}/{name}") as packed, (fresh / name).open("wb") as file:
                shutil.copyfileobj(packed, file)
        place.mkdir(exist_ok=True)
        for name in source.files:
            (fresh / name).replace(place / name)
    return place


def main(argv: list[str]) -> int:
    """Return 0 when the files are in place."""
    parser = argparse.ArgumentParser(prog="make fetch-data")
    parser.add_argument("dataset")
    parser.add_argument("--yes", action="store_true", help="the terms have been read")
    chosen = parser.parse_args(argv)
    source = SOURCES.get(chosen.dataset)
    if source is None:
        print(
            f"There is no public data set {chosen.dataset!r} to fetch. Choose one of: {', '.join(SOURCES)}.",
            file=sys.stderr,
        )
        return 1
    data = Path(os.environ.get("EXFM_DATA") or "var/data").resolve()
    print(f"{source.title}\n{source.terms}\nFrom {source.url}, {source.megabytes} MB, into {data / source.folder}.")
    if (
        not chosen.yes
        and sys.stdin.isatty()
        and input("Download under these terms? [y/N] ").strip().lower() not in {"y", "yes"}
    ):
        return 1
    try:
        data.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / "archive.zip"
            download(source, archive)
            print(f"Unpacked into {unpack(source, archive, data)}. Now: make demo DATASET={chosen.dataset}")
    except (FetchError, OSError, zipfile.BadZipFile, KeyError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
