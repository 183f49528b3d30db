"""The Globo.com click log in its published raw format. Torch-free.

385 hourly files ``clicks_hour_NNN.csv``, each with the sessions that started in its hour, in a folder (plain or .gz)
or in ``clicks.tar.gz``; some of the files are enough. Clicks only: ``globo_ctr`` makes a CTR task of them.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from exfm_core.data.partitions import column_numpy
from exfm_core.data.public import rawfiles
from exfm_core.data.public.rawfields import skipped, whole
from exfm_core.data.public.rawfiles import Format
from exfm_core.errors import DataError

Ints = npt.NDArray[np.int64]

ORIGIN_MS = 1_506_826_800_000
"""2017-10-01 03:00 UTC: the hour of the log's first click; hours are counted from here."""

HOUR_MS = 3_600_000
CODES = 64
"""Codes of context columns lie below this."""

FORMAT = Format(
    "globo",
    "https://www.kaggle.com/gspmoreira/news-portal-user-interactions-by-globocom (its terms: research, cite CHAMELEON)",
    (
        whole("user_id", 0, 2**53),
        skipped("session_id"),
        skipped("session_start"),
        skipped("session_size"),  # known only when the session is over: it must never reach a feature
        whole("click_article_id", 0, 2**31 - 1),
        whole("click_timestamp", ORIGIN_MS, ORIGIN_MS + 1000 * 24 * HOUR_MS),
        whole("click_environment", 0, CODES - 1),
        whole("click_deviceGroup", 0, CODES - 1),
        whole("click_os", 0, CODES - 1),
        whole("click_country", 0, CODES - 1),
        whole("click_region", 0, CODES - 1),
        whole("click_referrer_type", 0, CODES - 1),
    ),
)
_FILE = re.compile(r"clicks_hour_(\d{3})\.csv(\.gz)?")
_MAX_FILE = 1 << 28


@dataclass(frozen=True, slots=True)
class Log:
    """One entry per click, ordered by time, then by the other columns, whatever the order of files and lines was.

    ``time``: ms since 1970. ``hours``: how many hours from the origin were asked for (None: all).
    ``files``: how many hourly files were read.
    """

    hours: int | None
    files: int
    time: Ints
    user: Ints
    article: Ints
    environment: Ints
    device: Ints
    os: Ints
    country: Ints
    region: Ints
    referrer: Ints


def read(folder: Path, *, hours: int | None = None) -> Log:
    """Read the clicks of the first ``hours`` hours (None: all) below ``folder``.

    DataError names the file, line and column of whatever is missing, cut short or malformed.
    """
    if hours is not None and hours < 1:
        raise DataError("globo.hours", f"{hours} hours cannot be read.", "Ask for 1 hour or more, or for all.")
    tables = [table for _, table in _hourly(folder, hours)]
    files = len(tables)
    tables = [table for table in tables if table.num_rows]
    if not tables:
        raise DataError("globo.empty", f"The hourly files in {folder} hold no clicks.", f"Get them: {FORMAT.source}")
    joined = pa.concat_tables(tables)
    columns = [column_numpy(joined.column(name)) for name in _COLUMNS]
    if hours is not None:
        early = columns[0] < ORIGIN_MS + hours * HOUR_MS
        columns = [column[early] for column in columns]
    order = np.lexsort(columns[::-1])
    return Log(hours, files, *(column[order] for column in columns))


_COLUMNS = (
    "click_timestamp",
    "user_id",
    "click_article_id",
    "click_environment",
    "click_deviceGroup",
    "click_os",
    "click_country",
    "click_region",
    "click_referrer_type",
)


def _hourly(folder: Path, hours: int | None) -> Iterator[tuple[int, pa.Table]]:
    """Yield ``(hour, clicks)`` of each hourly file that can hold a click of the first ``hours`` hours."""
    for place in (folder, folder / "clicks", folder / "globo_clicks", folder / "globo_clicks" / "clicks"):
        named = {int(match[1]): path for path in place.glob("*") if (match := _FILE.fullmatch(path.name))}
        if named:
            for hour, path in sorted(named.items()):
                if _needed(hour, hours):
                    yield hour, _table(path, b"".join(rawfiles.pieces(path, FORMAT)))
            return
        if (archive := place / "clicks.tar.gz").is_file():
            yield from _packed(archive, hours)
            return
    rawfiles.find(folder, ("clicks_hour_*.csv", "clicks.tar.gz"), FORMAT)


def _needed(hour: int, hours: int | None) -> bool:
    # File k starts 23 minutes before hour k, and a click is never earlier than its session.
    return hours is None or hour <= hours


class _Unpacked:
    """The bytes of a gzip file as tarfile's stream mode reads them."""

    def __init__(self, path: Path) -> None:
        self._pieces = rawfiles.pieces(path, FORMAT, 1 << 20)
        self._rest = b""

    def read(self, size: int) -> bytes:
        while len(self._rest) < size and (piece := next(self._pieces, None)) is not None:
            self._rest += piece
        result, self._rest = self._rest[:size], self._rest[size:]
        return result


def _packed(archive: Path, hours: int | None) -> Iterator[tuple[int, pa.Table]]:
    wanted = None if hours is None else hours + 1
    done = 0
    try:
        with tarfile.open(fileobj=_Unpacked(archive), mode="r|") as bundle:  # type: ignore[call-overload]
            for member in bundle:
                match = _FILE.fullmatch(Path(member.name).name)
                if not match or not member.isreg() or not _needed(int(match[1]), hours):
                    continue
                file = bundle.extractfile(member)
                content = file.read(_MAX_FILE) if file else b""
                yield int(match[1]), _table(archive / member.name, content)
                done += 1
                if done == wanted:
                    return
    except tarfile.TarError as error:
        raise DataError(
            "globo.damaged",
            f"{archive} is no whole tar archive after its first {done} hourly files ({error}).",
            f"Copy it again. To get it: {FORMAT.source}",
        ) from error
    if not done:
        raise DataError("globo.empty", f"{archive} holds no clicks_hour_NNN.csv.", f"To get it: {FORMAT.source}")


def _table(path: Path, content: bytes) -> pa.Table:
    """Parse an hourly file; a header alone is a quiet hour."""
    rows, first_line = rawfiles.after_header(path, FORMAT, content)
    return rawfiles.parse(path, FORMAT, rows, first_line) if rows else pa.table({})
