"""Every way a partition can be wrong is named: column, row, expected, found, mend."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from exfm_core.data.partitions import file_sha256, write_partition
from exfm_core.data.validate import Report, validate_partition
from exfm_core.errors import DataError

from .rows import END, START, schema, table


def check(path: Path, content: pa.Table, **options: Any) -> Report:
    pq.write_table(content, path, **options)
    return validate_partition(path, schema(), START, END)


def changed(column: str, row: int, value: object) -> pa.Table:
    source = table(400)
    values = source.column(column).to_pylist()
    values[row] = value
    index = source.column_names.index(column)
    return source.set_column(index, column, pa.array(values, source.schema.field(column).type))


def test_a_good_file_is_measured(tmp_path: Path) -> None:
    written = write_partition(tmp_path / "p", table(1000), schema())
    report = validate_partition(tmp_path / "p", schema(), START, END)
    assert report.ok and report.rows == 1000 == written.rows
    assert (report.sha256, report.bytes) == (written.sha256, written.bytes) == file_sha256(tmp_path / "p")
    clicks, sales = (sum(table(1000).column(name).to_pylist()) for name in ("clicked", "bought"))
    assert report.positives == {"click": clicks, "buy": sales}
    assert report.to_json()["start"] == "2024-01-01T00:00:00+00:00"


def test_labels_may_be_booleans_and_ids_small_integers(tmp_path: Path) -> None:
    fields = [pa.field("clicked", pa.bool_()), pa.field("hour", pa.uint8()), pa.field("bought", pa.float64())]
    content = table(100)
    for field in fields:
        index = content.column_names.index(field.name)
        content = content.set_column(index, field.name, content.column(index).cast(field.type))
    assert check(tmp_path / "p", content).ok


@pytest.mark.parametrize(
    ("column", "row", "value", "expected", "found"),
    [
        ("age", 7, float("nan"), "a finite float", "nan"),
        ("age", 8, float("inf"), "a finite float", "inf"),
        ("clicked", 3, 2, "0 or 1", "2"),
        ("item_id", 5, -1, "an id >= 0", "-1"),
        ("hour", 6, 24, "an id in 0..23", "24"),
        ("recent", 9, [1, 2, 3, 4], "at most 3 ids", "4 ids"),
        ("recent", 10, [1, -5], "an id >= 0", "-5"),
        ("recent", 11, [1, None], "ids in the list", "null in the list"),
        ("event_time", 0, START - timedelta(seconds=1), "a time in [", "2023-12-31T23:59:59Z"),
        ("event_time", 399, END, "a time in [", "2024-01-01T01:00:00Z"),
        ("event_time", 200, START, "a time not before", "2024-01-01T00:00:00Z"),
    ],
)
def test_a_bad_value_is_found(tmp_path: Path, column: str, row: int, value: object, expected: str, found: str) -> None:
    plain = changed(column, row, value).cast(_nullable())
    report = check(tmp_path / "p", plain, row_group_size=150)
    (problem,) = report.problems
    assert (problem.column, problem.row, problem.found) == (column, row, found)
    assert problem.expected.startswith(expected)
    assert problem.message.startswith(f"Column '{column}', row {row}: expected {expected}")


def test_a_null_is_found(tmp_path: Path) -> None:
    plain = table(400).cast(_nullable())
    values = plain.column("item_id").to_pylist()
    values[123] = None
    (problem,) = check(tmp_path / "p", plain.set_column(2, "item_id", pa.array(values, pa.int64()))).problems
    assert (problem.column, problem.row, problem.found) == ("item_id", 123, "null")


def _nullable() -> pa.Schema:
    return pa.schema([field.with_nullable(True) for field in table(1).schema])


@pytest.mark.parametrize(
    ("change", "column", "found"),
    [
        (lambda t: t.drop_columns(["age"]), "age", "no such column"),
        (lambda t: t.append_column("extra", t.column("age")), "extra", "float"),
        (lambda t: t.append_column("age", t.column("age")), "age", "2 columns"),
        (lambda t: t.set_column(2, "item_id", t.column("item_id").cast(pa.string())), "item_id", "string"),
        (
            lambda t: t.set_column(0, "event_time", t.column("event_time").cast(pa.timestamp("us"))),
            "event_time",
            "timestamp[us]",
        ),
        (lambda t: t.slice(0, 0), None, "no rows"),
    ],
)
def test_wrong_columns_are_named(
    tmp_path: Path, change: Callable[[pa.Table], pa.Table], column: str | None, found: str
) -> None:
    (problem,) = check(tmp_path / "p", change(table(400))).problems
    assert (problem.column, problem.found) == (column, found)


def test_several_columns_report_one_problem_each(tmp_path: Path) -> None:
    content = table(400).set_column(5, "age", pa.array(np.full(400, np.nan, np.float32)))
    report = check(tmp_path / "p", content.drop_columns(["clicked"]))
    assert {problem.column for problem in report.problems} == {"age", "clicked"}


def test_true_probability_is_allowed_and_checked(tmp_path: Path) -> None:
    content = table(400)
    assert check(tmp_path / "p", content.append_column("true_probability", pa.array(np.full(400, 0.5)))).ok
    (problem,) = check(tmp_path / "p", content.append_column("true_probability", pa.array(np.full(400, 1.5)))).problems
    assert problem.column == "true_probability"


@pytest.mark.parametrize("keep", [0, 10, 0.5, -20])
def test_cut_or_foreign_files_are_a_problem_not_a_crash(tmp_path: Path, keep: float) -> None:
    path = tmp_path / "p"
    pq.write_table(table(5000), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep) if isinstance(keep, float) else keep])
    (problem,) = validate_partition(path, schema(), START, END).problems
    assert problem.column is None and (problem.expected, bool(problem.found)) == ("a whole Parquet file", True)
    assert problem.message == "The file is not a whole Parquet file. Write it again and upload all of it."


def test_damage_inside_is_found(tmp_path: Path) -> None:
    path = tmp_path / "p"
    write_partition(path, table(5000), schema())
    content = bytearray(path.read_bytes())
    content[2000:2600] = bytes(600)
    path.write_bytes(content)
    assert not validate_partition(path, schema(), START, END).ok


def test_giant_row_groups_are_refused(tmp_path: Path) -> None:
    (problem,) = check(tmp_path / "p", table(140_000)).problems
    assert "row_group_size=131072" in problem.message


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file gone"):
        validate_partition(tmp_path / "gone", schema(), START, END)


@pytest.mark.parametrize(("value", "shown"), [(0, "0 in every row"), (1, "1 in every row")])
def test_labels_of_one_class_are_a_warning(tmp_path: Path, value: int, shown: str) -> None:
    source = table(400)
    index = source.column_names.index("bought")
    report = check(tmp_path / "p", source.set_column(index, "bought", pa.array(np.full(400, value, np.int8))))
    (warning,) = report.warnings
    assert report.ok and (warning.column, warning.row, warning.found) == ("bought", None, shown)
    assert report.to_json()["warnings"][0]["message"].startswith("Column 'bought': expected labels of both classes")


def test_null_lists_are_read_as_empty_ones_with_a_warning(tmp_path: Path) -> None:
    source = table(400).cast(_nullable())
    values = source.column("recent").to_pylist()
    values[17] = values[200] = None
    index = source.column_names.index("recent")
    content = source.set_column(index, "recent", pa.array(values, pa.list_(pa.int64())))
    report = check(tmp_path / "p", content, row_group_size=150)
    (warning,) = report.warnings
    assert report.ok and (warning.column, warning.row) == ("recent", 17)
    assert warning.found == "2 null lists, the first in row 17"


def test_a_managed_feature_takes_any_id_from_zero(tmp_path: Path) -> None:
    managed = tuple(
        replace(feature, hashed=False, managed=True) if feature.name in ("item_id", "recent") else feature
        for feature in schema().features
    )
    body = replace(schema(), features=managed)
    pq.write_table(table(400), tmp_path / "p")  # ids up to 10¹² in tables of 50 rows
    assert validate_partition(tmp_path / "p", body, START, END).ok
    pq.write_table(changed("item_id", 3, -1), tmp_path / "p")
    (problem,) = validate_partition(tmp_path / "p", body, START, END).problems
    assert (problem.column, problem.row) == ("item_id", 3)
