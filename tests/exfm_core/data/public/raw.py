"""Where the real logs lie, raw files as bytes, and what every stream of a public log must keep to."""

import gzip
import os
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from exfm_core.data.partitions import write_partition
from exfm_core.data.public.chronology import Partition, Stream
from exfm_core.data.validate import validate_partition


def real(folder: str) -> Path:
    """The folder of real files; skips the test where this machine does not have it."""
    place = Path(os.environ.get("EXFM_DATA", "var/data")) / folder
    if not place.is_dir():
        pytest.skip(f"the real {folder} is not on this machine (EXFM_DATA)")
    return place


def write(path: Path, *lines: str) -> Path:
    """Write lines to a file, gzip if its name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def cut_short(path: Path, share: float = 0.5) -> Path:
    """Keep the first part of a file, as an interrupted copy does."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def sealed(stream: Stream, folder: Path, *, every: int = 1) -> list[Partition]:
    """Read a stream; its partitions follow one another, and every ``every``-th passes the platform's validation."""
    partitions = list(stream.partitions())
    ends = [datetime.min.replace(tzinfo=partitions[0][0].tzinfo), *(end for _, end, _ in partitions)]
    for number, (start, end, table) in enumerate(partitions):
        assert ends[number] <= start < end and table.num_rows
        if number % every == 0:
            path = folder / f"{stream.slug}-{number}.parquet"
            write_partition(path, table, stream.schema)
            report = validate_partition(path, stream.schema, start, end)
            assert report.ok, report.problems
    return partitions


def joined(partitions: list[Partition]) -> pa.Table:
    """All rows of a stream."""
    return pa.concat_tables([table for _, _, table in partitions])


def column(table: pa.Table, name: str) -> np.ndarray:
    """A column as NumPy."""
    return np.asarray(table.column(name).to_numpy())
