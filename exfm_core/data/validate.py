"""Does a file hold what its stream's schema promises? Torch-free; run as a child process on files of strangers.

``validate_partition`` never raises for a bad file: it reports problems that name column, row, what was expected and
what was found, so that a page can show them and a script can mend them. Rows are counted from 0.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from exfm_core.data import column_checks as checks
from exfm_core.data.column_checks import Finding
from exfm_core.data.pages import chunk_finding
from exfm_core.data.partitions import ROW_GROUP_ROWS, column_numpy, file_sha256, open_partition
from exfm_core.errors import DataError, ExfmError, sentence
from exfm_core.spec import TRUE_PROBABILITY, StreamSchema

MAX_PROBLEMS = 20
MAX_GROUP_BYTES = 1 << 30
FEW_VALUES = 1 << 20
"""Values of a column's row group that are decoded whatever the schema allows: the row that has too many is named."""
MAX_FOOTER_BYTES = 64 << 20
MAX_COLUMNS, MAX_ROW_GROUPS = 32_768, 65_536
MAX_TEXT = 200
MAX_MEMORY_BYTES = 6 << 30
"""Address space of the validating process: a few bytes of Parquet may stand for any amount of memory."""
MAX_CPU_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, what the schema asks for, what stands there, and a sentence with the mend."""

    column: str | None
    row: int | None
    expected: str
    found: str
    message: str


@dataclass(frozen=True, slots=True)
class Report:
    """The verdict on a file; valid if ``problems`` is empty. ``positives``: Σ label per task. ``warnings``: what is
    allowed but rarely meant."""

    rows: int
    positives: dict[str, int]
    sha256: str
    bytes: int
    start: datetime
    end: datetime
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...] = ()

    @property
    def ok(self) -> bool:
        """True if the partition may be sealed."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready object; times in ISO 8601, UTC."""
        return {**asdict(self), "start": self.start.isoformat(), "end": self.end.isoformat(), "ok": self.ok}


@dataclass(slots=True)
class _Work:
    schema: StreamSchema
    start_us: int
    end_us: int
    rows: int = 0
    last_us: int | None = None
    positives: dict[str, int] = field(default_factory=dict)
    problems: dict[str | None, list[Problem]] = field(default_factory=dict)
    empty_lists: dict[str, list[int]] = field(default_factory=dict)

    def report(self, column: str | None, row: int | None, expected: str, found: str, mend: str) -> None:
        """Keep the first problem of each column: the later ones are mostly its echo."""
        known = self.problems.setdefault(column, [])
        if not known or column is None:
            known.append(_problem(column, row, expected, found, mend))

    def warnings(self) -> tuple[Problem, ...]:
        """What is allowed, but rarely meant; only of a file without problems."""
        if self.problems:
            return ()
        found = []
        for name, (row, count) in self.empty_lists.items():
            what = f"{count} null lists, the first in row {row}"
            found.append(_problem(name, row, "lists", what, "They are read as empty lists."))
        for task in self.schema.tasks:
            if (positives := self.positives[task.name]) in (0, self.rows):
                label = "0" if positives == 0 else "1"
                mend = "Nothing can be learnt from one class: check the label, or take longer partitions."
                found.append(_problem(task.label, None, "labels of both classes", f"{label} in every row", mend))
        return tuple(found)


def _problem(column: str | None, row: int | None, expected: str, found: str, mend: str) -> Problem:
    where = " ".join(
        [f"Column {column!r}" if column else "The file", *([f"row {row}"] if row is not None else [])]
    ).replace("' row", "', row")
    message = f"{where}: expected {expected}, found {found}. {mend}"
    name = None if column is None else _text(column)
    return Problem(name, row, _text(expected), _text(found), _text(message, 3 * MAX_TEXT))


def _text(text: str, longest: int = MAX_TEXT) -> str:
    """What a stranger's file says, fit to be stored and shown: printable, and not endless."""
    plain = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text[:longest])
    return plain if len(text) <= longest else f"{plain[:-1]}…"


def validate_partition(path: str | os.PathLike[str], schema: StreamSchema, start: datetime, end: datetime) -> Report:
    """Check a partition file against its schema and its interval ``[start, end)``, one row group at a time.

    Raises DataError only if there is no file to read.
    """
    target = Path(path)
    if not target.is_file():
        raise DataError("data.missing_file", f"There is no file {target.name}.", "Check the path.")
    sha256, size = file_sha256(target)
    work = _Work(schema, _micros(start), _micros(end), positives={task.name: 0 for task in schema.tasks})
    try:
        if not _footer_fits(target, size, work):
            return Report(0, work.positives, sha256, size, start, end, tuple(work.problems[None]))
        file = open_partition(target)
    except DataError as error:
        # Its own sentence names the file, which on a platform is called by its hash.
        what = f"The file is not a whole Parquet file. {error.mend}"
        work.problems[None] = [
            Problem(None, None, "a whole Parquet file", _text(_reason(error.__cause__ or error)), what)
        ]
    else:
        with file:
            try:
                _check_file(file, target, work)
            # A file can break its reader in more ways than can be named; whatever it does is the file's fault.
            except Exception as error:  # noqa: BLE001
                _unreadable(error, work)
    problems = tuple(problem for found in work.problems.values() for problem in found)[:MAX_PROBLEMS]
    return Report(work.rows, work.positives, sha256, size, start, end, problems, work.warnings())


def _footer_fits(path: Path, size: int, work: _Work) -> bool:
    """Whether the metadata are of a size that may be parsed: the length stands in the file's last eight bytes."""
    with path.open("rb") as file:
        file.seek(max(0, size - 8))
        tail = file.read(8)
    length = int.from_bytes(tail[:4], "little") if len(tail) == 8 and tail[4:] == b"PAR1" else 0
    if length > MAX_FOOTER_BYTES:
        most = f"metadata of at most {MAX_FOOTER_BYTES >> 20} MiB"
        work.report(None, None, most, f"{length} bytes", "Write fewer columns and longer row groups.")
    return length <= MAX_FOOTER_BYTES


def _unreadable(error: Exception, work: _Work) -> None:
    if isinstance(error, MemoryError):
        found, mend = "one that needs more", "Write shorter row groups, and shorter lists."
        work.report(None, work.rows, f"a file readable in {MAX_MEMORY_BYTES >> 30} GiB of memory", found, mend)
        return
    work.report(None, work.rows, "readable rows", _reason(error), "The file is damaged: write it again.")


def _reason(error: BaseException) -> str:
    """The first line of what a reader says."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def _check_file(file: pq.ParquetFile, path: Path, work: _Work) -> None:
    metadata = file.metadata
    if metadata.num_columns > MAX_COLUMNS or file.num_row_groups > MAX_ROW_GROUPS:
        work.report(
            None,
            None,
            f"at most {MAX_COLUMNS} columns and {MAX_ROW_GROUPS} row groups",
            f"{metadata.num_columns} columns and {file.num_row_groups} row groups",
            "Drop columns that no schema names, and write longer row groups.",
        )
        return
    readable = _check_columns(file.schema_arrow, work)
    if metadata.num_rows == 0:
        work.report(None, None, "at least one row", "no rows", "Leave empty partitions out.")
    for group in range(file.num_row_groups):
        info = metadata.row_group(group)
        if not _group_fits(info, work):
            return
        if not _pages_fit(path, info, group, readable, work):
            return
        decoded = 0
        # One column at a time: run lengths and dictionaries hide how much memory a row group needs.
        for name, check in readable.items():
            table = file.read_row_group(group, columns=[name])
            table.validate(full=True)
            decoded += table.nbytes
            if table.num_rows != info.num_rows or decoded > MAX_GROUP_BYTES:
                work.report(
                    None,
                    work.rows,
                    f"a row group of {info.num_rows} rows and at most 1 GiB",
                    f"{table.num_rows} rows and {decoded} bytes of decoded values",
                    "Write shorter row groups, and shorter lists.",
                )
                return
            _check_column(table.column(name), name, check, work)
        work.rows += info.num_rows


def _group_fits(info: pq.RowGroupMetaData, work: _Work) -> bool:
    """Whether a row group has a size that may be read, as the metadata say."""
    fits = bool(info.num_rows <= ROW_GROUP_ROWS and info.total_byte_size <= MAX_GROUP_BYTES)
    if not fits:
        work.report(
            None,
            work.rows,
            f"row groups of at most {ROW_GROUP_ROWS} rows and 1 GiB",
            f"one of {info.num_rows} rows and {info.total_byte_size} bytes",
            f"Write the file with row_group_size={ROW_GROUP_ROWS}.",
        )
    return fits


def _pages_fit(path: Path, info: pq.RowGroupMetaData, group: int, names: Iterable[str], work: _Work) -> bool:
    """Whether a row group's columns may be decoded at all, by their counts and by what each of their pages says.

    A list hides any number of values, and a page any number of bytes.
    """
    longest = {one.name: one.max_length for one in work.schema.features if one.kind == "sequence"}
    wanted, left = set(names), MAX_GROUP_BYTES
    with path.open("rb") as file:
        for i in range(info.num_columns):
            chunk = info.column(i)
            name = chunk.path_in_schema.split(".")[0]
            if name not in wanted:
                continue
            most = min(max(info.num_rows * longest.get(name, 1), FEW_VALUES), MAX_GROUP_BYTES // 8)
            finding, unpacked = chunk_finding(file, chunk, group=group, most=most, most_bytes=left)
            if finding is not None:
                work.report(name, work.rows, finding.expected, finding.found, finding.mend)
                return False
            left -= unpacked
    return True


def _check_columns(found: pa.Schema, work: _Work) -> dict[str, Callable[[pa.Array], Finding | None]]:
    """Report missing, doubled, unknown and mistyped columns; return the checks of the readable ones."""
    readable: dict[str, Callable[[pa.Array], Finding | None]] = {}
    expected = checks.of_schema(work.schema)
    counts = Counter(found.names)
    for name, check in expected.items():
        count = counts[name]
        if count == 0 and name != TRUE_PROBABILITY:
            work.report(name, None, check.type_name, "no such column", "Add the column.")
        elif count > 1:
            work.report(name, None, "one column of this name", f"{count} columns", "Keep one of them.")
        elif count and not check.accepts(found.field(name).type):
            work.report(name, None, check.type_name, str(found.field(name).type), "Cast the column.")
        elif count:
            readable[name] = check.rows
    for field_ in itertools.islice((one for one in found if one.name not in expected), MAX_PROBLEMS):
        work.report(
            field_.name, None, "no such column in the schema", str(field_.type), "Drop the column or declare it."
        )
    return readable


def _check_column(column: pa.ChunkedArray, name: str, check: Callable[[pa.Array], Finding | None], work: _Work) -> None:
    array = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    if array.null_count and _is_sequence(name, work.schema):
        row = work.rows + int(np.flatnonzero(array.is_null().to_numpy(zero_copy_only=False))[0])
        known = work.empty_lists.setdefault(name, [row, 0])
        known[1] += array.null_count
    elif array.null_count:
        row = work.rows + int(np.flatnonzero(array.is_null().to_numpy(zero_copy_only=False))[0])
        work.report(name, row, "a value", "null", "Fill it or leave the row out.")
        return
    if (finding := check(array)) is not None:
        work.report(name, work.rows + finding.row, finding.expected, finding.found, finding.mend)
        return
    if name == work.schema.event_time:
        _check_time(column_numpy(array.cast(pa.int64())), name, work)
    for task in work.schema.tasks:
        if task.label == name:
            work.positives[task.name] += int(column_numpy(array).sum())


def _is_sequence(name: str, schema: StreamSchema) -> bool:
    return any(feature.name == name and feature.kind == "sequence" for feature in schema.features)


def _check_time(times: npt.NDArray[np.int64], name: str, work: _Work) -> None:
    if not times.size:
        return
    outside = np.flatnonzero((times < work.start_us) | (times >= work.end_us))
    if outside.size:
        row = int(outside[0])
        interval = f"a time in [{_iso(work.start_us)}, {_iso(work.end_us)})"
        work.report(name, work.rows + row, interval, _iso(int(times[row])), "Move the row or widen the interval.")
        return
    before = np.concatenate([[times[0] if work.last_us is None else work.last_us], times[:-1]])
    back = np.flatnonzero(times < before)
    if back.size:
        row = int(back[0])
        expected = f"a time not before {_iso(int(before[row]))}"
        work.report(name, work.rows + row, expected, _iso(int(times[row])), "Sort the rows by time.")
    work.last_us = int(times[-1])


def _micros(moment: datetime) -> int:
    delta = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def _iso(micros: int) -> str:
    try:
        moment = datetime.fromtimestamp(micros // 1_000_000, UTC).replace(microsecond=micros % 1_000_000)
    except (OverflowError, ValueError, OSError):
        return f"{micros} µs"
    return moment.isoformat().replace("+00:00", "Z")


def main(argv: Sequence[str]) -> int:
    """``validate --schema schema.json --start … --end … FILE``: print a JSON report.

    Returns 0 if the file is valid, 1 if it is not, 2 for bad usage (a sentence on stderr, nothing on stdout).
    """
    parser = argparse.ArgumentParser(prog="python -m exfm_core validate", description="Check a partition file.")
    parser.add_argument("--schema", required=True, help="JSON file with the stream's schema")
    parser.add_argument("--start", required=True, help="start of the interval, ISO 8601 with a time zone")
    parser.add_argument("--end", required=True, help="end of the interval (not in it)")
    parser.add_argument("file", help="Parquet file")
    try:
        options = parser.parse_args(list(argv))
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        schema = StreamSchema.from_json(json.loads(Path(options.schema).read_text(encoding="utf-8")))
        start, end = _moment(options.start, "--start"), _moment(options.end, "--end")
        if start >= end:
            raise DataError("data.bad_interval", "--start is not before --end.", "Swap them or widen the interval.")
        report = validate_partition(options.file, schema, start, end)
    except ExfmError as error:
        print(f"validate: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"validate: {sentence(error)}", file=sys.stderr)
        return 2
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        print(f"validate: the schema {options.schema} is no JSON: {error}. Write it again.", file=sys.stderr)
        return 2
    print(json.dumps(report.to_json()))
    return 0 if report.ok else 1


def bounded_main(argv: Sequence[str]) -> int:
    """``main`` in a process of its own, whose memory and time are bounded first."""
    bound_process()
    return main(argv)


def bound_process() -> None:
    """Bound this process's memory and time, for good; lower limits that are in force stay."""
    for kind, most in ((resource.RLIMIT_AS, MAX_MEMORY_BYTES), (resource.RLIMIT_CPU, MAX_CPU_SECONDS)):
        _, hard = resource.getrlimit(kind)
        known = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (known, known))


def _moment(text: str, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime.min
    if moment.tzinfo is None:
        raise DataError("data.bad_time", f"{name} is {text!r}.", "Write it like 2024-01-31T00:00:00Z.")
    return moment.astimezone(UTC)
