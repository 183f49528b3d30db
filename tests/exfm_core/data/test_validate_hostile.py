"""Files of strangers that mean harm: each ends in a verdict that can be stored, within bounded memory."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from exfm_core.data import validate
from exfm_core.data.validate import validate_partition

from .rows import END, START, schema, table


def judge(path: Path, content: pa.Table) -> validate.Report:
    pq.write_table(content, path)
    return validate_partition(path, schema(), START, END)


@pytest.mark.parametrize("name", ["a\x00b", "\u202etxt", "z" * 100_000])
def test_a_column_name_is_made_fit_to_be_stored(tmp_path: Path, name: str) -> None:
    content = table(10)
    (problem,) = judge(tmp_path / "p", content.append_column(name, pa.array(np.zeros(10)))).problems
    for text in (problem.column or "", problem.found, problem.message):
        assert text.isprintable()
        assert len(text) <= 3 * validate.MAX_TEXT


def test_very_many_columns_are_counted_once(tmp_path: Path) -> None:
    content = table(1)
    for start in range(0, 20_000, 5_000):
        extra = pa.table({f"x{i}": pa.array([1], pa.int8()) for i in range(start, start + 5_000)})
        content = pa.Table.from_arrays(content.columns + extra.columns, content.column_names + extra.column_names)
    assert len(judge(tmp_path / "p", content).problems) == validate.MAX_PROBLEMS


def test_run_lengths_do_not_hide_the_memory_that_a_row_group_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validate, "MAX_GROUP_BYTES", 500_000)
    rows, length = 20_000, 3
    ends = np.arange(0, rows * length + 1, length, dtype=np.int32)
    content = table(rows).drop_columns(["recent"])
    content = content.append_column("recent", pa.ListArray.from_arrays(ends, np.zeros(rows * length, np.int64)))
    names = content.column_names
    same = {name: pa.array([content.column(name)[0].as_py()] * rows, content.schema.field(name).type) for name in names}
    target = io.BytesIO()
    pq.write_table(pa.table(same), target)
    info = pq.ParquetFile(target).metadata.row_group(0)
    assert info.total_byte_size < 100_000
    (tmp_path / "p").write_bytes(target.getvalue())
    report = validate_partition(tmp_path / "p", schema(), START, END)
    assert report.rows == 0
    assert "decoded" in report.problems[0].found


def test_whatever_breaks_the_reader_is_the_files_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(validate, "_check_file", broken)
    (problem,) = judge(tmp_path / "p", table(10)).problems
    assert "memory" in problem.expected


def test_the_command_bounds_its_own_memory() -> None:
    code = "from exfm_core.data.validate import bound_process; bound_process(); bytearray(7 << 30)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert b"MemoryError" in done.stderr


def test_lists_that_decode_to_any_size_are_refused_by_their_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten million equal ids are a few kilobytes of Parquet: nothing of them is decoded."""
    length = 10_000_000
    monkeypatch.setattr(validate, "MAX_GROUP_BYTES", 40 << 20)
    ends = np.array([0, *([length] * 10)], np.int32)
    content = table(10).drop_columns(["recent"])
    content = content.append_column("recent", pa.ListArray.from_arrays(ends, np.zeros(length, np.int64)))
    pq.write_table(content, tmp_path / "p", compression="zstd")
    assert (tmp_path / "p").stat().st_size < 100_000
    read: list[object] = []
    real = pq.ParquetFile.read_row_group
    monkeypatch.setattr(pq.ParquetFile, "read_row_group", lambda *a, **k: read.append(k) or real(*a, **k))
    (problem,) = validate_partition(tmp_path / "p", schema(), START, END).problems
    assert not read and problem.column == "recent" and problem.found.startswith("10000009 values in")


def test_metadata_too_large_to_parse_are_refused_unparsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pq.write_table(table(10), tmp_path / "p")
    monkeypatch.setattr(validate, "open_partition", lambda *_: pytest.fail("the metadata were parsed"))
    monkeypatch.setattr(validate, "MAX_FOOTER_BYTES", 1000)
    (problem,) = validate_partition(tmp_path / "p", schema(), START, END).problems
    assert "metadata of at most" in problem.expected


@pytest.mark.parametrize(("name", "options"), [("MAX_COLUMNS", {}), ("MAX_ROW_GROUPS", {"row_group_size": 1})])
def test_too_many_columns_or_row_groups_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, options: dict[str, int]
) -> None:
    pq.write_table(table(10), tmp_path / "p", **options)
    monkeypatch.setattr(validate, name, 5)
    report = validate_partition(tmp_path / "p", schema(), START, END)
    (problem,) = report.problems
    assert report.rows == 0 and "columns and" in problem.found
