"""Partition files are written whole or not at all, and read in order with bounded memory."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from exfm_core.data.partitions import arrow_schema, open_partition, pieces, write_partition
from exfm_core.errors import DataError

from .rows import schema, table


def test_written_file_has_the_declared_form(tmp_path: Path) -> None:
    written = write_partition(tmp_path / "deep" / "p", table(300_000), schema())
    file = pq.ParquetFile(tmp_path / "deep" / "p")
    assert file.schema_arrow.equals(arrow_schema(schema()))
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [131_072, 131_072, 37_856]
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    assert written.rows == 300_000 and written.bytes == (tmp_path / "deep" / "p").stat().st_size


def test_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    one, two = (write_partition(tmp_path / name, table(5000), schema()) for name in ("one", "two"))
    assert one == two


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (table(100).drop_columns(["age"]), "data.missing_column"),
        (table(100).take(pa.array(range(99, -1, -1))), "data.not_sorted"),
    ],
)
def test_a_refused_table_leaves_nothing_behind(tmp_path: Path, content: pa.Table, code: str) -> None:
    with pytest.raises(DataError) as caught:
        write_partition(tmp_path / "p", content, schema())
    assert caught.value.code == code and not list(tmp_path.iterdir())


def test_pieces_come_in_order_with_their_first_row(tmp_path: Path) -> None:
    pq.write_table(table(1000), tmp_path / "p", row_group_size=300)
    found = [(first, part.num_rows) for first, part in pieces(tmp_path / "p", ["hour"], 450, 200)]
    assert found == [(450, 50), (500, 100), (600, 200), (800, 100), (900, 100)]
    parts = pa.concat_tables([part for _, part in pieces(tmp_path / "p", ["hour"])])
    assert parts.column("hour").to_pylist() == table(1000).column("hour").to_pylist()


def test_a_damaged_row_group_names_its_rows(tmp_path: Path) -> None:
    pq.write_table(table(5000), tmp_path / "p", row_group_size=1000)
    file = pq.ParquetFile(tmp_path / "p")
    begin = file.metadata.row_group(3).column(2).data_page_offset
    content = bytearray((tmp_path / "p").read_bytes())
    content[begin : begin + 400] = b"\xff" * 400
    (tmp_path / "p").write_bytes(content)
    with pytest.raises(DataError, match=r"row group 3 \(rows 3000 to 3999\)"):
        list(pieces(tmp_path / "p", ["item_id"]))


def test_no_file_and_no_parquet_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file gone"):
        open_partition(tmp_path / "gone")
    (tmp_path / "text").write_text("not Parquet")
    with pytest.raises(DataError, match="text is not a whole Parquet file"):
        open_partition(tmp_path / "text")
