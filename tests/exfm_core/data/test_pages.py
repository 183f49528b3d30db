"""Page headers as real writers make them, as nobody should, and as noise; and what the validator makes of each."""

import io
import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exfm_core.data import pages
from exfm_core.data.pages import MAX_HEADER_BYTES, Page, PageError, page_headers, read_header
from exfm_core.data.validate import Report, validate_partition

from .rows import END, START, schema, table
from .test_compression_bombs import zigzag

CODECS = ("none", "snappy", "gzip", "brotli", "lz4", "zstd")
PLAIN = {name: "PLAIN" for name in table(1).column_names if name != "recent"}
DELTA = dict.fromkeys(("event_time", "user_id", "item_id", "hour", "clicked", "bought"), "DELTA_BINARY_PACKED")
SPLIT = dict.fromkeys(("event_time", "user_id", "item_id", "hour", "age"), "BYTE_STREAM_SPLIT")
WRITERS = {
    "dictionaries": {"use_dictionary": True},
    "plain": {"use_dictionary": False},
    "deltas": {"use_dictionary": False, "column_encoding": DELTA | {"recent.list.element": "DELTA_BINARY_PACKED"}},
    "split bytes": {"use_dictionary": False, "column_encoding": SPLIT | {"recent.list.element": "BYTE_STREAM_SPLIT"}},
    "a dictionary given up": {"use_dictionary": True, "dictionary_pagesize_limit": 500},
    "small pages": {"use_dictionary": True, "data_page_size": 100, "write_batch_size": 64},
    "no statistics": {"write_statistics": False},
    "page indexes and checksums": {"write_page_index": True, "write_page_checksum": True},
}


def validated(path: Path) -> Report:
    return validate_partition(path, schema(), START, END)


@pytest.mark.parametrize("version", ["1.0", "2.0"], ids=["pages v1", "pages v2"])
@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("codec", CODECS)
def test_what_real_writers_make_is_read_to_the_last_byte(tmp_path: Path, codec: str, writer: str, version: str) -> None:
    pq.write_table(
        table(3000), tmp_path / "p", compression=codec, data_page_version=version, row_group_size=1300,
        **WRITERS[writer],
    )  # fmt: skip
    report = validated(tmp_path / "p")
    assert report.problems == () and report.rows == 3000
    metadata = pq.ParquetFile(tmp_path / "p").metadata
    with (tmp_path / "p").open("rb") as file:
        for group, column in itertools.product(range(metadata.num_row_groups), range(metadata.num_columns)):
            chunk = metadata.row_group(group).column(column)
            at = chunk.dictionary_page_offset if chunk.has_dictionary_page else chunk.data_page_offset
            end, values, unpacked, count = at + chunk.total_compressed_size, 0, 0, 0
            while at < end:
                file.seek(at)
                page, length = read_header(file.read(MAX_HEADER_BYTES))
                at, values, count = at + length + page.packed, values + page.values, count + 1
                unpacked += length + page.unpacked
            assert (at, values, unpacked) == (end, chunk.num_values, chunk.total_uncompressed_size)
            read = list(itertools.islice(page_headers(file, chunk), count))
            assert sum(page.values for page in read) == chunk.num_values
            if writer == "small pages":
                assert count > 2


@pytest.mark.parametrize("rows", [0, 1])
def test_row_groups_of_no_rows_and_lists_of_no_ids_are_no_lie(tmp_path: Path, rows: int) -> None:
    content = table(100)
    empty = pa.ListArray.from_arrays(np.zeros(101, np.int32), pa.array([], pa.int64()))
    content = content.set_column(content.column_names.index("recent"), content.schema.field("recent"), empty)
    with pq.ParquetWriter(tmp_path / "p", content.schema) as writer:
        writer.write_table(content.slice(0, rows))
        writer.write_table(content.slice(rows))
    report = validated(tmp_path / "p")
    assert report.problems == () and report.rows == 100


def test_long_run_lengths_of_what_the_schema_allows_are_no_lie(tmp_path: Path) -> None:
    """131,072 equal rows of three equal ids: a few hundred bytes, and 3 MiB decoded."""
    rows = 131_072
    first = table(1)
    same = {name: pa.array([first.column(name)[0].as_py()] * rows, first.schema.field(name).type) for name in PLAIN}
    ends = np.arange(0, 3 * rows + 1, 3, dtype=np.int32)
    same["recent"] = pa.ListArray.from_arrays(ends, pa.array(np.full(3 * rows, 7)))
    pq.write_table(pa.table(same), tmp_path / "p")
    assert (tmp_path / "p").stat().st_size < 10_000
    report = validated(tmp_path / "p")
    assert report.problems == () and report.rows == rows


def lying(path: Path, change: Callable[[bytes, Page], bytes], *, column: str = "item_id", **options: object) -> None:
    """Write two row groups of 131,072 rows, each column a single page; change that page's header in the second."""
    rows = 262_144
    pq.write_table(
        table(rows), path, compression="zstd", use_dictionary=False, row_group_size=rows // 2,
        data_page_size=1 << 30, write_batch_size=rows, max_rows_per_page=rows, **options,
    )  # fmt: skip
    group = pq.ParquetFile(path).metadata.row_group(1)
    chunk = next(one for one in map(group.column, range(group.num_columns)) if one.path_in_schema == column)
    data = bytearray(path.read_bytes())
    at = chunk.data_page_offset
    page, length = read_header(bytes(data[at : at + MAX_HEADER_BYTES]))
    header = change(bytes(data[at : at + length]), page)
    assert len(header) == length and header != data[at : at + length]
    data[at : at + length] = header
    path.write_bytes(bytes(data))


def swapped(header: bytes, old: int, new: int) -> bytes:
    assert header.count(zigzag(old)) >= 1
    return header.replace(zigzag(old), zigzag(new, len(zigzag(old))), 1)


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize(
    ("change", "expected", "found"),
    [
        (
            lambda header, page: swapped(header, page.unpacked, 120 << 20),
            "at most 18874368 bytes for 131072 values in row group 1",
            "pages that claim 125829120 bytes",
        ),
        (
            lambda header, page: swapped(header, page.values, 1_000_000),
            "131072 values in row group 1, as the file's metadata say",
            "1000000 or more, as its page headers say",
        ),
        (
            lambda header, page: header.replace(zigzag(page.unpacked), b"\x81\x80\x80\x01", 1),
            "page headers in row group 1",
            "one that cannot be read: a size is below zero",
        ),
        (
            lambda header, page: b"\xff" * len(header),
            "page headers in row group 1",
            "one that cannot be read: it holds a value of the unknown type 15",
        ),
    ],
    ids=["bytes", "values", "below zero", "noise"],
)
def test_a_page_that_lies_is_named_and_nothing_is_decoded_after_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    version: str,
    change: Callable[[bytes, Page], bytes],
    expected: str,
    found: str,
) -> None:
    lying(tmp_path / "p", change, data_page_version=version)
    read: list[int] = []
    real = pq.ParquetFile.read_row_group
    monkeypatch.setattr(pq.ParquetFile, "read_row_group", lambda *a, **k: read.append(a[1]) or real(*a, **k))
    report = validated(tmp_path / "p")
    (problem,) = report.problems
    assert (problem.column, problem.row, problem.expected, problem.found) == ("item_id", 131_072, expected, found)
    assert "The file contradicts itself: write it again" in problem.message
    assert report.rows == 131_072 and set(read) == {0}


def test_a_page_that_unpacks_to_more_than_it_says_is_damaged(tmp_path: Path) -> None:
    lying(tmp_path / "p", lambda header, page: swapped(header, page.unpacked, 1000))
    (problem,) = validated(tmp_path / "p").problems
    assert (problem.row, problem.expected) == (131_072, "readable rows")
    assert "damaged" in problem.message


@pytest.mark.parametrize("bound", ["pages", "bytes"])
def test_too_many_pages_and_too_many_bytes_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    pq.write_table(table(3000), tmp_path / "p", **WRITERS["small pages"])
    if bound == "pages":
        monkeypatch.setattr(pages, "MAX_PAGES", 3)
        expected = "at most 3 pages in row group 0"
    else:
        monkeypatch.setattr("exfm_core.data.validate.MAX_GROUP_BYTES", 50_000)
        monkeypatch.setattr("exfm_core.data.validate._group_fits", lambda *_: True)
        expected = "bytes in row group 0"
    (problem,) = validated(tmp_path / "p").problems
    assert problem.expected.endswith(expected)


def test_lists_longer_than_the_schema_allows_are_counted_where_they_are_many(tmp_path: Path) -> None:
    """Ten lists of 200,000 ids where three are allowed: the count alone refuses them, with the row group's number."""
    content = table(10)
    ends = np.arange(0, 2_000_001, 200_000, dtype=np.int32)
    lists = pa.ListArray.from_arrays(ends, pa.array(np.zeros(2_000_000, np.int64)))
    content = content.set_column(content.column_names.index("recent"), content.schema.field("recent"), lists)
    pq.write_table(content, tmp_path / "p")
    (problem,) = validated(tmp_path / "p").problems
    assert (problem.column, problem.expected) == ("recent", "at most 1048576 values in row group 0")
    assert problem.found.startswith("2000000 values in ")
    assert "shorter lists" in problem.message


@given(st.binary(max_size=200))
def test_noise_is_a_page_or_an_error_of_ours(data: bytes) -> None:
    try:
        page, length = read_header(data)
    except PageError:
        return
    assert 0 < length <= len(data)
    assert min(page.values, page.packed, page.unpacked) >= 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x15",
        b"\x15" + b"\xff" * 20,
        b"\x15\x00\x15\x02\x15\x02\x00",
        b"\x15\x00\x15\x02",
        b"\x1c" * 5000,
        b"\x19\xf5\xff\xff\xff\xff\x0f",
        b"\x1d",
        b"\x15\x00\x05\x02\x02\x00",
        b"\x15\x80\x80\x80\x80\x20\x00",
        b"\x18\xff\xff\xff\xff\x7f",
    ],
    ids=[
        "nothing", "cut short", "an endless number", "no values", "no end", "deep", "a long list", "unknown type",
        "a field twice", "more than 32 bits", "a long text",
    ],
)  # fmt: skip
def test_what_is_no_header_is_refused(data: bytes) -> None:
    with pytest.raises(PageError):
        read_header(data)


def test_fields_of_every_kind_are_skipped() -> None:
    """A header of a later format: unknown fields of each type before and after the known ones."""
    unknown = b"".join(
        [
            b"\x09\x12\x24\x01\x02",  # a list of two booleans
            b"\x0b\x14\x01\x58\x02\x01a",  # a map of byte -> text
            b"\x07\x16" + bytes(8),  # a double
            b"\x03\x18\x7f",  # a byte
            b"\x01\x1a\x02\x1c",  # two booleans
            b"\x0c\x1e\x15\x02\x00",  # a structure
            b"\x06\x20\xff\xff\xff\xff\xff\xff\xff\xff\x7f",  # a long number
        ]
    )
    header = b"\x15\x00\x15\x54\x15\x2a\x2c\x15\x0e\x15\x00\x15\x06\x15\x06\x00" + unknown + b"\x00"
    assert read_header(header + b"data") == (Page(7, 21, 42), len(header))


def test_a_file_of_pages_cut_short_still_ends_in_a_verdict(tmp_path: Path) -> None:
    """Every byte of the first header replaced in turn: no reader may break."""
    target = io.BytesIO()
    pq.write_table(table(50), target, use_dictionary=False, write_statistics=False)
    data = target.getvalue()
    at = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(0).column(0).data_page_offset
    _, length = read_header(data[at : at + MAX_HEADER_BYTES])
    for place, byte in itertools.product(range(at, at + length), (0, 0x7F, 0xFF)):
        (tmp_path / "p").write_bytes(data[:place] + bytes([byte]) + data[place + 1 :])
        report = validated(tmp_path / "p")
        assert report.ok or report.problems[0].message
