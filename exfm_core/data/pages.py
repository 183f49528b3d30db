"""What the pages of a Parquet file say of themselves, read before one of them is decoded. Torch-free.

The metadata at a file's end say how much a column chunk holds, and each page says it once more in a header before it. A
decoder trusts the page: kilobytes that claim gigabytes cost gigabytes until they turn out to be a lie. Headers are a
few bytes in Thrift's compact protocol; they are walked here as Arrow's reader walks them, and cost no memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

import pyarrow.parquet as pq

from exfm_core.data.column_checks import Finding

MAX_HEADER_BYTES: Final = 512
"""A page header of numbers has about a hundred bytes, the least and greatest value among them. To read one takes a
processor a microsecond a byte: padded ones would keep it busy for minutes."""
MAX_PAGES: Final = 16_384
"""Of one column chunk: eight rows a page at the most rows that a row group may have."""
MAX_VALUE_BYTES: Final = 16
"""What a number takes in a page, in any encoding, with its levels: eight bytes and a little."""
SLACK_BYTES: Final = 16 << 20
"""What a chunk's pages may unpack to beside their values: a dictionary, and padding of small pages."""

_PADDING: Final = 100
"""Old writers leave a dictionary's header out of a chunk's length: Arrow reads so many bytes on, as the walk does."""
_DEPTH: Final = 8
_DATA, _DICTIONARY, _DATA_V2 = 0, 2, 3
_HEADERS: Final = {_DATA: 5, _DICTIONARY: 7, _DATA_V2: 8}
"""Type of a page -> the field of its header that holds the header of that type."""
_BOOLEANS, _BYTE, _NUMBERS, _DOUBLE, _TEXT = (1, 2), 3, (4, 5, 6), 7, 8
_I32, _LISTS, _MAP, _STRUCT = 5, (9, 10), 11, 12


class PageError(ValueError):
    """No page header stands where one should."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page as its header tells it. `values`: of a data page, nulls counted. Sizes in bytes, without the header."""

    values: int
    packed: int
    unpacked: int


def page_headers(file: BinaryIO, chunk: pq.ColumnChunkMetaData) -> Iterator[Page]:
    """Yield the pages of a column chunk in the order of the file, up to its end.

    Raises PageError where what stands there is no page header.
    """
    at = chunk.data_page_offset
    if chunk.dictionary_page_offset is not None and 0 < chunk.dictionary_page_offset < at:
        at = chunk.dictionary_page_offset
    end = at + chunk.total_compressed_size + _PADDING
    while at < end:
        file.seek(at)
        page, length = read_header(file.read(MAX_HEADER_BYTES))
        yield page
        at += length + page.packed


def read_header(data: bytes) -> tuple[Page, int]:
    """Return the page whose header `data` begin with, and the header's length in bytes. Raises PageError."""
    reader = _Compact(data)
    fields = reader.struct(_DEPTH)
    kind, unpacked, packed = (fields.get(number) for number in (1, 2, 3))
    if not (isinstance(kind, int) and isinstance(unpacked, int) and isinstance(packed, int)):
        raise PageError("it lacks the page's type or sizes")
    values = 0
    if kind in _HEADERS:
        inner = fields.get(_HEADERS[kind])
        counted = inner.get(1) if isinstance(inner, dict) else None
        if not isinstance(counted, int):
            raise PageError("it lacks the number of values")
        values = 0 if kind == _DICTIONARY else counted
    if min(values, packed, unpacked) < 0:
        raise PageError("a size is below zero")
    return Page(values, packed, unpacked), reader.at


def chunk_finding(
    file: BinaryIO, chunk: pq.ColumnChunkMetaData, *, group: int, most: int, most_bytes: int
) -> tuple[Finding | None, int]:
    """Return why a column chunk of numbers may not be decoded, or None; and the bytes that its pages unpack to.

    `group`: the number of its row group. `most`, `most_bytes`: values that it may hold, bytes that it may unpack to.
    """
    said, seen, unpacked, pages = chunk.num_values, 0, 0, 0
    where = f"row group {group}"
    if said > most:
        found = f"{said} values in {chunk.total_compressed_size} bytes"
        return Finding(0, f"at most {most} values in {where}", found, _SHORTER), 0
    headers = page_headers(file, chunk)
    # Arrow's reader stops at that number as well: what follows is never decoded.
    while seen < said:
        try:
            page = next(headers, None)
        except PageError as error:
            return Finding(0, f"page headers in {where}", f"one that cannot be read: {error}", _AGAIN), unpacked
        if page is None:
            break
        seen, unpacked, pages = seen + page.values, unpacked + page.unpacked, pages + 1
        if seen > said:
            expected = f"{said} values in {where}, as the file's metadata say"
            return Finding(0, expected, f"{seen} or more, as its page headers say", _AGAIN), unpacked
        if unpacked > most_bytes:
            found = f"pages that unpack to {unpacked} bytes or more"
            return Finding(0, f"at most {most_bytes} bytes in {where}", found, _SHORTER), unpacked
        if unpacked > (room := seen * MAX_VALUE_BYTES + SLACK_BYTES):
            found = f"pages that claim {unpacked} bytes"
            return Finding(0, f"at most {room} bytes for {seen} values in {where}", found, _AGAIN), unpacked
        if pages > MAX_PAGES:
            return Finding(0, f"at most {MAX_PAGES} pages in {where}", "more", "Write pages of about 1 MiB."), unpacked
    return None, unpacked


_SHORTER: Final = "Write shorter row groups, and shorter lists."
_AGAIN: Final = "The file contradicts itself: write it again, if need be with another Parquet library."


class _Compact:
    """A reader of Thrift's compact protocol that keeps 32-bit numbers and structures, and skips the rest."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def struct(self, depth: int) -> dict[int, int | dict[int, object] | None]:
        """Return the fields by number. A number given twice is refused: readers would differ in which one holds."""
        found: dict[int, int | dict[int, object] | None] = {}
        number = 0
        while head := self._byte():
            delta, kind = head >> 4, head & 15
            number = number + delta if delta else self._number()
            if number in found or not 0 < number < 1 << 15:
                raise PageError("it names a field twice, or one that cannot be")
            found[number] = self._value(kind, depth)
        return found

    def _value(self, kind: int, depth: int) -> int | dict[int, object] | None:
        if depth == 0:
            raise PageError("it is nested too deep")
        if kind in _NUMBERS:
            number = self._number()
            if kind == _I32 and not -(1 << 31) <= number < 1 << 31:
                raise PageError("a number has more than 32 bits")
            return number if kind == _I32 else None
        if kind == _STRUCT:
            return dict(self.struct(depth - 1))
        self._skip(kind, depth)
        return None

    def _skip(self, kind: int, depth: int) -> None:
        if kind in _BOOLEANS:
            return
        if kind in (_BYTE, _DOUBLE, _TEXT):
            self._forward(1 if kind == _BYTE else 8 if kind == _DOUBLE else self._varint())
        elif kind in _LISTS:
            head = self._byte()
            size = head >> 4 if head >> 4 < 15 else self._varint()
            self._elements(size, (head & 15,), depth)
        elif kind == _MAP:
            if size := self._varint():
                kinds = self._byte()
                self._elements(size, (kinds >> 4, kinds & 15), depth)
        else:
            raise PageError(f"it holds a value of the unknown type {kind}")

    def _elements(self, size: int, kinds: tuple[int, ...], depth: int) -> None:
        """Skip the elements of a list or map; each takes a byte at least, hence there are no more than bytes."""
        for _ in range(size):
            for kind in kinds:
                if kind in _BOOLEANS:
                    self._forward(1)
                else:
                    self._value(kind, depth - 1)

    def _byte(self) -> int:
        self._forward(1)
        return self.data[self.at - 1]

    def _forward(self, count: int) -> None:
        if count > len(self.data) - self.at:
            raise PageError(f"it does not end within {len(self.data)} bytes")
        self.at += count

    def _varint(self) -> int:
        """Return a whole number in groups of seven bits, the last ones first; ten groups at most."""
        found = 0
        for shift in range(0, 70, 7):
            part = self._byte()
            found |= (part & 127) << shift
            if part < 128:
                return found
        raise PageError("it holds a number without an end")

    def _number(self) -> int:
        found = self._varint()
        return found >> 1 ^ -(found & 1)
