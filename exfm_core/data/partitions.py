"""Partition files: Parquet, zstd, row groups of at most 131,072 rows, rows in event-time order. Torch-free."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from exfm_core.errors import DataError
from exfm_core.spec import TRUE_PROBABILITY, StreamSchema

ROW_GROUP_ROWS = 131_072
PIECE_ROWS = 16_384
"""Rows decoded at a time: few enough for any width, enough to cost no speed."""
TIME_TYPE = pa.timestamp("us", tz="UTC")

Source = str | os.PathLike[str] | BinaryIO


@dataclass(frozen=True, slots=True)
class Written:
    """A file that stands complete on disk."""

    rows: int
    sha256: str
    bytes: int


def arrow_schema(schema: StreamSchema, *, true_probability: bool = False) -> pa.Schema:
    """The Arrow types in which this project writes a stream's columns."""
    types = {schema.event_time: TIME_TYPE}
    if schema.user_key is not None:
        types[schema.user_key] = pa.int64()
    for task in schema.tasks:
        types[task.label] = pa.int8()
    for feature in schema.features:
        kinds = {"categorical": pa.int64(), "sequence": pa.list_(pa.int64()), "dense": pa.float32()}
        types[feature.name] = kinds[feature.kind]
    fields = [pa.field(name, types[name], nullable=False) for name in schema.columns]
    if true_probability:
        fields.append(pa.field(TRUE_PROBABILITY, pa.float64(), nullable=False))
    return pa.schema(fields)


def write_partition(path: str | os.PathLike[str], table: pa.Table, schema: StreamSchema) -> Written:
    """Write ``table`` as a partition file, fsynced and put in place by rename.

    Columns are cast to ``arrow_schema``. Raises DataError if a column is missing or rows are not in time order.
    """
    target = Path(path)
    wanted = arrow_schema(schema, true_probability=TRUE_PROBABILITY in table.column_names)
    missing = [name for name in wanted.names if name not in table.column_names]
    if missing:
        raise DataError(
            "data.missing_column", f"The table for {target.name} lacks {', '.join(missing)}.", "Add the columns."
        )
    table = table.select(wanted.names).cast(wanted)
    times = column_numpy(table.column(schema.event_time).cast(pa.int64()))
    if (np.diff(times) < 0).any():
        raise DataError(
            "data.not_sorted", f"The table for {target.name} is not in order of {schema.event_time}.", "Sort it first."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with scratch.open("wb") as file:
            pq.write_table(table, file, compression="zstd", row_group_size=ROW_GROUP_ROWS, use_dictionary=False)
            file.flush()
            os.fsync(file.fileno())
        sha256, size = file_sha256(scratch)
        scratch.replace(target)
    finally:
        scratch.unlink(missing_ok=True)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return Written(table.num_rows, sha256, size)


def file_sha256(path: str | os.PathLike[str]) -> tuple[str, int]:
    """Return a file's SHA-256 in hex and its size in bytes, reading a mebibyte at a time."""
    digest, size = hashlib.sha256(), 0
    with Path(path).open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def open_partition(source: Source) -> pq.ParquetFile:
    """Open a Parquet file; DataError if it is missing, cut short or not Parquet at all."""
    try:
        return pq.ParquetFile(source)
    except FileNotFoundError as error:
        raise DataError("data.missing_file", f"There is no file {_name(source)}.", "Check the path.") from error
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            "data.not_parquet",
            f"{_name(source)} is not a whole Parquet file ({_first_line(error)}).",
            "Write it again and upload all of it.",
        ) from error


def pieces(
    source: Source, columns: Sequence[str], start_row: int = 0, most: int = PIECE_ROWS
) -> Iterator[tuple[int, pa.Table]]:
    """Yield ``(first row, table)`` in file order from ``start_row`` on, the next piece decoded ahead in one thread.

    A piece has ``most`` rows or fewer, so memory is bounded by two of them and the pages they lie in, whatever the size
    of the file and of its row groups. Each column of a table is one contiguous chunk.
    """
    file = open_partition(source)
    missing = [name for name in columns if name not in file.schema_arrow.names]
    if missing:
        raise DataError("data.missing_column", f"{_name(source)} lacks {', '.join(missing)}.", "Add the columns.")
    sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    starts = np.concatenate([[0], np.cumsum(sizes)]).tolist()
    todo = [i for i in range(len(sizes)) if starts[i + 1] > start_row]

    def decode() -> Iterator[tuple[int, pa.Table]]:
        for group in todo:
            first = starts[group]
            try:
                for batch in file.iter_batches(most, row_groups=[group], columns=list(columns)):
                    yield first, pa.Table.from_batches([batch])
                    first += batch.num_rows
            except (pa.ArrowException, OSError) as error:
                rows = f"rows {starts[group]} to {starts[group + 1] - 1}"
                raise DataError(
                    "data.damaged",
                    f"{_name(source)}: row group {group} ({rows}) cannot be read.",
                    "The file is damaged: write it again and upload all of it.",
                ) from error

    decoded = decode()
    with file, ThreadPoolExecutor(1, thread_name_prefix="decode") as ahead:
        following = ahead.submit(next, decoded, None)
        while (piece := following.result()) is not None:
            following = ahead.submit(next, decoded, None)
            first, table = piece
            skip = max(0, start_row - first)
            if skip < table.num_rows:
                yield first + skip, table.slice(skip)


def column_numpy(column: pa.ChunkedArray | pa.Array) -> np.ndarray:
    """Return a column without nulls as a NumPy array, without a copy where it is one chunk of numbers."""
    array = one_chunk(column)
    if pa.types.is_boolean(array.type):
        array = pc.cast(array, pa.int8())
    return np.asarray(array.to_numpy(zero_copy_only=False))


def one_chunk(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Return a column as one array; one that is a single chunk is not copied (`combine_chunks` would)."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _name(source: Source) -> str:
    if isinstance(source, str | os.PathLike):
        return Path(source).name
    return str(getattr(source, "name", "the file"))


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]
