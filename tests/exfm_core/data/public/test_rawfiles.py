"""Raw files: blocks of any size give the same rows, and every complaint names file, line, column and mend."""

import gzip
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from exfm_core.data.public import rawfiles
from exfm_core.data.public.rawfields import hex_ids, hexadecimal, moment, real, skipped, whole, words
from exfm_core.data.public.rawfiles import Format
from exfm_core.errors import DataError

from .raw import cut_short, write

FORMAT = Format(
    "demo",
    "https://example.org/log",
    (
        whole("id", 0, 10_000),
        skipped("note"),
        hexadecimal("hash", 8, optional=True),
        real("price", 0.0, 1e6),
        moment("at", "a time"),
        words("place", r"\d_\d", "a place as 1_2"),
    ),
)
HEADER = "id,note,hash,price,at,place"


def line(number: int) -> str:
    return f"{number},x,{number:08x},{number / 2},2017-11-07 09:30:38,1_2"


def rows(path: Path, form: Format = FORMAT, block_bytes: int = rawfiles.BLOCK_BYTES) -> pa.Table:
    return pa.concat_tables([table for _, table in rawfiles.read(path, form, block_bytes)])


@pytest.mark.parametrize("name", ["log.csv", "log.csv.gz"])
@pytest.mark.parametrize("block_bytes", [1, 100, 1 << 20])
def test_blocks_of_any_size_give_the_same_rows(tmp_path: Path, name: str, block_bytes: int) -> None:
    table = rows(write(tmp_path / name, HEADER, *map(line, range(300))), block_bytes=block_bytes)
    assert table.column("id").to_pylist() == list(range(300))
    assert hex_ids(table.column("hash").combine_chunks(), 8).tolist() == list(range(1, 301))
    assert "note" not in table.column_names


def test_members_line_ends_and_a_missing_last_newline(tmp_path: Path) -> None:
    lines = [HEADER, *map(line, range(50))]
    members = b"".join(gzip.compress(f"{text}\r\n".encode()) for text in lines[:-1]) + gzip.compress(lines[-1].encode())
    (tmp_path / "log.gz").write_bytes(members)
    assert rows(tmp_path / "log.gz").num_rows == 50


def test_incompressible_and_highly_compressible_files_unpack_whole(tmp_path: Path) -> None:
    lines = [line(7)] * 200_000
    path = write(tmp_path / "log.csv.gz", HEADER, *lines)
    assert rows(path, block_bytes=1 << 16).num_rows == 200_000


def test_hashes_may_be_missing_altogether(tmp_path: Path) -> None:
    table = rows(write(tmp_path / "log", HEADER, "1,,,0.5,2017-11-07 09:30:38,1_2"))
    assert hex_ids(table.column("hash").combine_chunks(), 8).tolist() == [0]


def test_fifteen_digits_of_a_long_hash() -> None:
    text = "0123456789abcdef0123456789abcdef"
    assert hex_ids(pa.array([text, None, text[::-1]]), 15).tolist() == [
        int(text[:15], 16) + 1,
        0,
        int(text[::-1][:15], 16) + 1,
    ]


@pytest.mark.parametrize(
    ("bad", "column", "expected"),
    [
        ("x,n,00000001,1,2017-11-07 09:30:38,1_2", "id", "0..10000"),
        ("10001,n,00000001,1,2017-11-07 09:30:38,1_2", "id", "0..10000"),
        (",n,00000001,1,2017-11-07 09:30:38,1_2", "id", "0..10000"),
        ("1,n,0000001,1,2017-11-07 09:30:38,1_2", "hash", "8 hexadecimal"),
        ("1,n,0000000G,1,2017-11-07 09:30:38,1_2", "hash", "8 hexadecimal"),
        ("1,n,00000001,inf,2017-11-07 09:30:38,1_2", "price", "[0.0, 1000000.0]"),
        ("1,n,00000001,nan,2017-11-07 09:30:38,1_2", "price", "[0.0, 1000000.0]"),
        ("1,n,00000001,1,yesterday,1_2", "at", "a time"),
        ("1,n,00000001,1,2017-11-07 09:30:38,12", "place", "a place"),
    ],
)
def test_a_bad_value_is_named(tmp_path: Path, bad: str, column: str, expected: str) -> None:
    lines = [line(i) for i in range(300)]
    lines[217] = bad
    with pytest.raises(DataError) as caught:
        rows(write(tmp_path / "log.csv", HEADER, *lines), block_bytes=2000)
    assert caught.value.code == "demo.malformed"
    assert f"log.csv, line 219, column '{column}'" in caught.value.message and expected in caught.value.message
    assert FORMAT.source in caught.value.mend


@pytest.mark.parametrize("bad", ["1,n", "", "1,n,00000001,1,2017-11-07 09:30:38,1_2,7"])
def test_a_line_of_other_length_is_named(tmp_path: Path, bad: str) -> None:
    with pytest.raises(DataError, match=r"line 3: expected 6 fields"):
        rows(write(tmp_path / "log", HEADER, line(1), bad, line(2)))


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "log", HEADER, line(1))
    path.write_bytes(path.read_bytes() + b"2,x,\xff\xfe\xff\xfe\xff\xfe\xff\xfe,1,2017-11-07 09:30:38,1_2\n")
    with pytest.raises(DataError, match="line 3, column 'hash'"):
        rows(path)


def test_a_cut_gzip_file_is_read_to_the_cut_and_refused(tmp_path: Path) -> None:
    path = cut_short(write(tmp_path / "log.csv.gz", HEADER, *(line(i % 9973) for i in range(20_000))))
    seen = 0
    with pytest.raises(DataError) as caught:
        for first, table in rawfiles.read(path, FORMAT, 4096):
            assert first == seen + 2
            seen += table.num_rows
    assert caught.value.code == "demo.truncated" and seen > 5000
    assert str(path) in caught.value.message and f"line {seen + 2}" in caught.value.message and caught.value.mend


def test_damaged_gzip(tmp_path: Path) -> None:
    path = write(tmp_path / "log.csv.gz", HEADER, *map(line, range(5000)))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))
    with pytest.raises(DataError) as caught:
        rows(path, block_bytes=4096)
    assert caught.value.code in {"demo.damaged", "demo.malformed"}


@pytest.mark.parametrize("lines", [(), (HEADER,)])
@pytest.mark.parametrize("name", ["log.csv", "log.csv.gz"])
def test_no_rows(tmp_path: Path, name: str, lines: tuple[str, ...]) -> None:
    with pytest.raises(DataError) as caught:
        rows(write(tmp_path / name, *lines))
    assert caught.value.code == "demo.empty"


def test_header_is_checked(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'price' missing"):
        rows(write(tmp_path / "log.csv", HEADER.replace("price", "cost"), line(1)))
    with pytest.raises(DataError, match="another order"):
        rows(write(tmp_path / "log.csv", "note,id,hash,price,at,place", line(1)))


def test_missing_file_and_folder_without_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no readable file"):
        rows(tmp_path / "gone")
    with pytest.raises(DataError) as caught:
        rawfiles.find(tmp_path, ("log.csv", "log.csv.gz"), FORMAT)
    assert caught.value.code == "demo.not_found" and FORMAT.source in caught.value.mend
    assert "log.csv or log.csv.gz" in caught.value.message


def test_a_line_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(HEADER.encode() + b"\n" + b"7" * (3 << 20))
    with pytest.raises(DataError, match="line 2: expected a line of at most"):
        rows(path, block_bytes=1 << 16)


def test_reading_never_loads_torch() -> None:
    names = ("globo_ctr", "criteo", "avazu", "taobao_ad", "open_bandit", "talkingdata")
    code = "import sys; " + "".join(f"import exfm_core.data.public.{name}; " for name in names)
    run = [sys.executable, "-c", f"{code}print('torch' in sys.modules)"]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout == "False\n"
