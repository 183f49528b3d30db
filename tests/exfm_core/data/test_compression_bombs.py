"""Files of kilobytes that decode to more than a gigabyte, under the validator's own limits, in its own process.

Twelve lists of equal numbers, compressed by what shrinks them most. What the file says of its size is true, or it lies:
then its page headers tell, and they are read before anything is decoded.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from exfm_core.data.validate import MAX_GROUP_BYTES

from .rows import END, START, schema, table

LISTS, LENGTH = 12, 12_000_000
MOST_MEMORY = 256 << 20
"""Of a validator that decodes nothing: about a third of it, and mostly its libraries."""
MEASURED = """
import resource, subprocess, sys
done = subprocess.run([sys.executable, "-m", "exfm_core", "validate", *sys.argv[1:]], stdout=subprocess.PIPE)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10, file=sys.stderr)
sys.stdout.buffer.write(done.stdout)
"""


def write_bomb(file: Path, codec: str, *, one_page: bool) -> None:
    plain = table(LISTS)
    offsets, zeros = pa.array([0, LENGTH], pa.int32()), pa.array(np.zeros(LENGTH, np.int64))
    lists = pa.chunked_array([pa.ListArray.from_arrays(offsets, zeros)] * LISTS)
    columns = {name: plain.column(name) for name in plain.column_names} | {"recent": lists}
    pages = {"data_page_size": (1 << 31) - 1, "write_batch_size": 1 << 28} if one_page else {}
    pq.write_table(
        pa.table(columns), file, compression=codec, compression_level=1, use_dictionary=False, write_statistics=False,
        **pages,
    )  # fmt: skip
    assert LISTS * LENGTH * 8 > MAX_GROUP_BYTES
    assert file.stat().st_size < 8 << 20


def zigzag(number: int, width: int = 0) -> bytes:
    """Return the number as Parquet's metadata hold it, in `width` bytes or more."""
    left, out = number << 1, bytearray()
    while left > 127 or len(out) + 1 < width:
        out.append(left & 127 | 128)
        left >>= 7
    return bytes([*out, left])


def understate(file: Path) -> None:
    """Have the metadata say that each count and size above a million is a thousand."""
    data = file.read_bytes()
    start = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    group, footer = pq.ParquetFile(file).metadata.row_group(0), data[start:]
    columns = [group.column(i) for i in range(group.num_columns)]
    said = {group.total_byte_size, *(n for one in columns for n in (one.num_values, one.total_uncompressed_size))}
    for number in (one for one in said if one > 10**6):
        assert zigzag(number) in footer
        footer = footer.replace(zigzag(number), zigzag(1000, len(zigzag(number))))
    file.write_bytes(data[:start] + footer)
    assert pq.ParquetFile(file).metadata.row_group(0).total_byte_size == 1000


def verdict(file: Path) -> tuple[dict[str, Any], int]:
    """Return the only problem that the validator's process finds, and the most memory that it had, in bytes."""
    spec = file.with_suffix(".json")
    spec.write_text(json.dumps(schema().to_json()))
    asked = ["--schema", str(spec), "--start", START.isoformat(), "--end", END.isoformat(), str(file)]
    done = subprocess.run([sys.executable, "-c", MEASURED, *asked], capture_output=True, check=True)
    report = json.loads(done.stdout)
    assert (report["ok"], report["rows"]) == (False, 0)
    (problem,) = report["problems"]
    return problem, int(done.stderr.split()[-1])


@pytest.mark.parametrize("one_page", [False, True], ids=["many pages", "one page"])
@pytest.mark.parametrize("codec", ["gzip", "brotli"])
def test_neither_one_that_tells_its_size_is_decoded_nor_one_that_lies(
    tmp_path: Path, codec: str, one_page: bool
) -> None:
    write_bomb(tmp_path / "p", codec, one_page=one_page)
    problem, memory = verdict(tmp_path / "p")
    assert problem["expected"].startswith("row groups of at most")
    assert memory < MOST_MEMORY
    understate(tmp_path / "p")
    problem, memory = verdict(tmp_path / "p")
    assert (problem["column"], problem["row"]) == ("recent", 0)
    assert problem["expected"] == "1000 values in row group 0, as the file's metadata say"
    assert problem["found"].endswith("or more, as its page headers say")
    assert "write it again" in problem["message"]
    assert memory < MOST_MEMORY
