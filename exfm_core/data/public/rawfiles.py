"""Raw text files as publishers leave them: found, unpacked and parsed in blocks of bounded size. Torch-free.

Plain or gzip; one record a line, no quotes. Every complaint is a DataError that names file, line and column, what was
expected and what was found, and says what to do. A file that is cut short is read up to the cut and then refused.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import csv

from exfm_core.data.public.rawfields import Field
from exfm_core.errors import DataError

BLOCK_BYTES = 1 << 24
_MAX_LINE = 1 << 20


@dataclass(frozen=True, slots=True)
class Format:
    """A publisher's file format. ``source``: where to get the data, quoted in every mend.

    ``header``: the first line holds the field names ("yes"), does not ("no"), or may ("maybe").
    ``nulls``: texts that stand for a missing value beside the empty one.
    """

    code: str
    source: str
    fields: tuple[Field, ...]
    delimiter: str = ","
    header: str = "yes"
    nulls: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns, in file order."""
        return tuple(field.name for field in self.fields)


def find(folder: Path, patterns: Sequence[str], form: Format) -> tuple[Path, ...]:
    """Return the files in ``folder`` that match the first of the ``patterns`` any file matches, in name order.

    DataError with the way to get the data if there is none.
    """
    for pattern in patterns:
        if found := tuple(sorted(path for path in folder.glob(pattern) if path.is_file())):
            return found
    names = " or ".join(patterns)
    raise DataError(
        f"{form.code}.not_found",
        f"There is no {names} in {folder}.",
        f"Point to the folder that holds it. To get it: {form.source}",
    )


def read(path: Path, form: Format, block_bytes: int = BLOCK_BYTES) -> Iterator[tuple[int, pa.Table]]:
    """Yield ``(first line, rows)`` of the read fields, block by block in file order. Memory: a few blocks.

    DataError if the file is missing, empty, cut short, damaged or malformed anywhere.
    """
    first, rows = 1, 0
    for block in blocks(path, form, block_bytes):
        if first == 1:
            block, first = after_header(path, form, block)
        if block:
            table = parse(path, form, block, first)
            rows += table.num_rows
            yield first, table
            first += table.num_rows
    if not rows:
        raise DataError(f"{form.code}.empty", f"{path} holds no rows.", f"Copy it again. To get it: {form.source}")


def blocks(path: Path, form: Format, block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
    """Yield the unpacked bytes of a plain or gzip file, cut after line ends, near ``block_bytes`` at a time."""
    rest, lines = b"", 0
    unpacked = pieces(path, form, block_bytes)
    while True:
        try:
            piece = next(unpacked, None)
        except DataError as error:
            raise DataError(error.code, f"{error.message} That is in line {lines + 1}.", error.mend) from error
        if piece is None:
            break
        rest += piece
        end = rest.rfind(b"\n") + 1
        if end:
            yield rest[:end]
            lines += rest.count(b"\n", 0, end)
            rest = rest[end:]
        elif len(rest) > max(_MAX_LINE, block_bytes):
            raise malformed(path, form, lines + 1, None, f"a line of at most {_MAX_LINE} bytes", f"{len(rest)} bytes")
    if rest:
        yield rest


def pieces(path: Path, form: Format, piece_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
    """Yield the unpacked bytes of a plain or gzip file, at most ``piece_bytes`` at a time.

    DataError if there is no such file, or after the last good byte of a stream that is cut short or damaged.
    """
    again = f"Copy the file again. To get it: {form.source}"
    try:
        file = path.open("rb")
    except OSError as error:
        raise DataError(f"{form.code}.missing_file", f"There is no readable file {path}.", again) from error
    with file:
        gzipped = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        if not gzipped:
            while piece := file.read(piece_bytes):
                yield piece
            return
        unpack = zlib.decompressobj(wbits=31)
        packed = b""
        while packed := packed or file.read(1 << 20):
            if unpack.eof:
                unpack = zlib.decompressobj(wbits=31)
            try:
                piece = unpack.decompress(packed, piece_bytes)
            except zlib.error as error:
                raise DataError(f"{form.code}.damaged", f"{path}: the gzip data are damaged.", again) from error
            packed = unpack.unconsumed_tail or unpack.unused_data
            yield piece
        yield unpack.flush()
        if not unpack.eof:
            raise DataError(f"{form.code}.truncated", f"{path}: the gzip data are cut short.", again)


def after_header(path: Path, form: Format, block: bytes) -> tuple[bytes, int]:
    """Return the block after its header, and the number of its first line."""
    if form.header == "no":
        return block, 1
    line, _, rows = block.partition(b"\n")
    found = [name.strip() for name in line.decode("utf-8", "replace").lstrip("\ufeff").split(form.delimiter)]
    if found == list(form.names):
        return rows, 2
    if form.header == "maybe" and len(found) == len(form.names) and not set(found) & set(form.names):
        return block, 1
    lacking = [name for name in form.names if name not in found]
    detail = f"{', '.join(map(repr, lacking))} missing" if lacking else "other columns or another order"
    wanted = form.delimiter.join(form.names)[:200]
    raise DataError(
        f"{form.code}.header",
        f"{path}, line 1: expected the header {wanted!r}, found {line[:120]!r}: {detail}.",
        f"This reader takes the file as published, with labels. To get it: {form.source}",
    )


class _Bad(Exception):
    """A block that does not parse; the place is found by search."""


def parse(path: Path, form: Format, block: bytes, first_line: int) -> pa.Table:
    """Parse whole lines. DataError names the first bad line and its first bad column."""
    try:
        return _parse(form, block, form.fields)
    except _Bad as error:
        bad = error
    lines = block.split(b"\n")
    lines = lines[:-1] if not lines[-1] else lines
    low, high = 0, len(lines)  # the first `low` lines parse, the first `high` do not
    while high - low > 1:
        middle = (low + high) // 2
        try:
            _parse(form, b"\n".join(lines[low:middle]) + b"\n", form.fields)
            low = middle
        except _Bad:
            high = middle
    line = lines[low]
    cells = line.decode("utf-8", "replace").rstrip("\r").split(form.delimiter)
    if len(cells) != len(form.fields):
        wanted = f"{len(form.fields)} fields separated by {form.delimiter!r}"
        raise malformed(path, form, first_line + low, None, wanted, f"{len(cells)}: {line[:80]!r}") from bad
    for field, cell in zip(form.fields, cells, strict=True):
        try:
            _parse(form, line + b"\n", (field,))
        except _Bad:
            raise malformed(path, form, first_line + low, field.name, field.expected, repr(cell[:60])) from bad
    raise malformed(path, form, first_line + low, None, "a readable line", repr(line[:80])) from bad


def _parse(form: Format, block: bytes, fields: Sequence[Field]) -> pa.Table:
    wanted = [field for field in fields if field.good is not None]
    try:
        table = csv.read_csv(
            pa.BufferReader(block),
            csv.ReadOptions(column_names=list(form.names)),
            csv.ParseOptions(delimiter=form.delimiter, quote_char=False, ignore_empty_lines=False),
            csv.ConvertOptions(
                column_types={field.name: field.arrow for field in wanted},
                include_columns=[field.name for field in wanted] or [form.names[0]],
                null_values=["", *form.nulls],
                strings_can_be_null=True,
                timestamp_parsers=[csv.ISO8601],
            ),
        ).combine_chunks()
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise _Bad(str(error)) from error
    for field in wanted:
        column = table.column(field.name).combine_chunks()
        array = pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column
        if array.null_count and not field.optional:
            raise _Bad(field.name)
        if field.good is not None and not field.good(array.drop_null()).all():
            raise _Bad(field.name)
    return table


def malformed(path: Path, form: Format, line: int, column: str | None, expected: str, found: str) -> DataError:
    """Return the error of a line that does not hold what it should; ``column`` None is the line as a whole."""
    where = f"{path}, line {line}" + (f", column {column!r}" if column else "")
    return DataError(
        f"{form.code}.malformed",
        f"{where}: expected {expected}, found {found}.",
        f"If it is the last line, the file was cut short: remove the line or copy the file again. "
        f"To get it: {form.source}",
    )
