"""Partitions to upload: whose bytes, which interval, which hash."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from exfm_client.errors import Unusable

PIECE = 1 << 20
MEDIA_TYPE = "application/vnd.apache.parquet"
NAMED = re.compile(r"(\d{8}T\d{4,6}Z)-(\d{8}T\d{4,6}Z)")
SPAN = re.compile(r"(\d+)([smhd])")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True)
class Upload:
    """A file and the interval `[start, end)` of event time that it holds, in UTC."""

    path: Path
    start: datetime
    end: datetime

    def pieces(self) -> Iterator[bytes]:
        """Yield the file's bytes in pieces; the whole file is never in memory."""
        with self.path.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece

    def sha256(self) -> str:
        """Hash the file."""
        digest = hashlib.sha256()
        for piece in self.pieces():
            digest.update(piece)
        return digest.hexdigest()


def instant(text: str) -> datetime:
    """Read a time such as 2026-01-01T00:00:00Z; one without a zone is refused, as it would mean something else here."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise Unusable(f"{text!r} is no time.", "Write it as 2026-01-01T00:00:00Z.") from error
    if found.tzinfo is None:
        raise Unusable(f"{text!r} has no time zone.", "Write it as 2026-01-01T00:00:00Z.")
    return found.astimezone(UTC)


def span(text: str) -> timedelta:
    """Read a length of time such as 15m, 1h or 1d."""
    found = SPAN.fullmatch(text)
    if not found or not int(found[1]):
        raise Unusable(f"{text!r} is no length of time.", "Write it as 15m, 1h or 1d.")
    return timedelta(seconds=int(found[1]) * UNITS[found[2]])


def plan(
    paths: Sequence[Path],
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    every: timedelta | None = None,
) -> list[Upload]:
    """Give each file its interval, and return them in time order.

    One file: from `start` to `end`. Several: consecutive intervals of `every` from `start`, in the order given. Neither
    given: from the files' names, which then hold both ends as in `ads-20260101T000000Z-20260101T010000Z.parquet`.
    """
    for path in paths:
        if not path.is_file():
            raise Unusable(f"{path} is no file.", "Check the name.")
    if start is None:
        if end is not None or every is not None:
            raise Unusable("An interval needs a start.", "Give --start.")
        return sorted((_from_name(path) for path in paths), key=lambda upload: upload.start)
    if every is not None:
        if end is not None:
            raise Unusable("--end and --every exclude each other.", "Give one of them.")
        return [Upload(path, start + n * every, start + (n + 1) * every) for n, path in enumerate(paths)]
    if end is None or len(paths) != 1:
        raise Unusable(
            "The files' intervals are not known.",
            "Give --start and --end for one file, --start and --every for several.",
        )
    if start >= end:
        raise Unusable("The interval ends before it begins.", "Give a later --end.")
    return [Upload(paths[0], start, end)]


def _from_name(path: Path) -> Upload:
    found = NAMED.search(path.name)
    if not found:
        raise Unusable(
            f"The name {path.name} tells no interval.",
            "Give --start and --end or --every, or name files like ads-20260101T000000Z-20260101T010000Z.parquet.",
        )
    start, end = instant(found[1]), instant(found[2])
    if start >= end:
        raise Unusable(f"The interval in {path.name} ends before it begins.", "Rename the file.")
    return Upload(path, start, end)
