"""The first rows of a file of unknown shape: Parquet, CSV or JSON lines, read within bounds. Torch-free."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import pyarrow as pa
import pyarrow.csv
import pyarrow.json

from exfm_core.data.partitions import open_partition
from exfm_core.errors import DataError

MAX_ROWS: Final = 100_000
MAX_BYTES: Final = 64 << 20
MAX_COLUMNS: Final = 2048
_DELIMITERS: Final = ",\t;|"
Format = Literal["parquet", "csv", "json lines"]


@dataclass(frozen=True, slots=True)
class Sample:
    """The first rows of a file. `whole`: there are no others. `named`: False where a CSV file has no header."""

    table: pa.Table
    format: Format
    whole: bool
    named: bool = True


def read_sample(path: str | os.PathLike[str], rows: int = MAX_ROWS) -> Sample:
    """Read at most `rows` rows and 64 MiB. Raises DataError if there is no file or no table in it."""
    target = Path(path)
    if not target.is_file():
        raise DataError("data.missing_file", f"There is no file {target.name}.", "Check the path.")
    with target.open("rb") as file:
        head = file.read(4)
    if head[:2] == b"\x1f\x8b" or head in (b"PK\x03\x04", b"\x28\xb5\x2f\xfd"):
        raise _unreadable(target, "is packed", "Unpack it first.")
    try:
        sample = _parquet(target, rows) if head == b"PAR1" else _text(target, rows)
    except (pa.ArrowException, UnicodeDecodeError) as error:
        reason = (str(error).splitlines() or ["unknown"])[0][:160]
        raise _unreadable(
            target, f"cannot be read ({reason})", "Check that it is Parquet, CSV or JSON lines."
        ) from error
    if not sample.table.num_rows or not sample.table.num_columns:
        raise _unreadable(target, "has no rows", "Take a file with some.")
    return sample


def _parquet(path: Path, rows: int) -> Sample:
    with open_partition(path) as file:
        _bounded(path, file.metadata.num_columns)
        batches: list[pa.RecordBatch] = []
        size = found = 0
        for batch in file.iter_batches(min(rows, 4096)):
            batches.append(batch.slice(0, rows - found))
            found, size = found + batches[-1].num_rows, size + batch.nbytes
            if found >= rows or size >= MAX_BYTES:
                break
        table = pa.Table.from_batches(batches, file.schema_arrow)
        return Sample(table, "parquet", table.num_rows == file.metadata.num_rows)


def _text(path: Path, rows: int) -> Sample:
    with path.open("rb") as file:
        content = file.read(MAX_BYTES)
    whole = path.stat().st_size <= len(content)
    if not whole:
        content = content[: content.rfind(b"\n") + 1]
    if not content.strip():
        raise _unreadable(path, "has no rows", "Take a file with some.")
    if content.lstrip()[:1] == b"{":
        table = pyarrow.json.read_json(io.BytesIO(content))
        _bounded(path, table.num_columns)
        return Sample(table.slice(0, rows), "json lines", whole and table.num_rows <= rows)
    first = content.split(b"\n", 1)[0].decode("utf-8")
    delimiter = max(_DELIMITERS, key=first.count)
    _bounded(path, first.count(delimiter) + 1)
    named = not any(_is_number(cell) for cell in first.strip().split(delimiter))
    options = pyarrow.csv.ReadOptions(autogenerate_column_names=not named)
    parsing = pyarrow.csv.ParseOptions(delimiter=delimiter)
    table = pyarrow.csv.read_csv(io.BytesIO(content), read_options=options, parse_options=parsing)
    return Sample(table.slice(0, rows), "csv", whole and table.num_rows <= rows, named)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _bounded(path: Path, columns: int) -> None:
    if columns > MAX_COLUMNS:
        raise _unreadable(path, f"has {columns} columns, of at most {MAX_COLUMNS}", "Drop those that no model reads.")


def _unreadable(path: Path, what: str, mend: str) -> DataError:
    return DataError("infer.unreadable", f"{path.name} {what}.", mend)
