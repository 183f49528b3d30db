"""A schema proposed from a file's first rows: what each column becomes, with the reason, within bounds."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from exfm_core.data import sample
from exfm_core.data.infer import Proposal, bounded_main, infer, main
from exfm_core.data.validate import validate_partition
from exfm_core.errors import DataError

from .rows import END, START, schema, table


def by_name(proposal: Proposal) -> dict[str, str]:
    return {column.name: column.role for column in proposal.columns}


def log(count: int = 5000) -> pa.Table:
    """A log as a warehouse exports it: texts, codes, amounts, a key per row, a second time."""
    rng = np.random.default_rng(0)
    seconds = np.sort(rng.integers(1_700_000_000, 1_700_086_400, count))
    return pa.table(
        {
            "impression_id": rng.permutation(count) + 10**9,
            "ts": seconds,
            "user_id": rng.integers(0, 800, count) * 7919,
            "campaign": [f"summer-{n}" for n in rng.integers(0, 300, count)],
            "hour": rng.integers(0, 24, count),
            "device": rng.integers(0, 90, count),
            "price": rng.integers(1, 5000, count),
            "ctr_7d": rng.random(count),
            "is_mobile": rng.integers(0, 2, count),
            "constant": np.ones(count, np.int64),
            "converted_at": seconds + rng.integers(0, 90_000, count),
            "clicked": rng.integers(0, 2, count),
            "purchase": rng.random(count) < 0.05,
        }
    )


EXPECTED = {
    "impression_id": "left out",
    "ts": "event time",
    "user_id": "user key",
    "campaign": "categorical",
    "hour": "categorical",
    "device": "categorical",
    "price": "dense",
    "ctr_7d": "dense",
    "is_mobile": "categorical",
    "constant": "left out",
    "converted_at": "left out",
    "clicked": "label",
    "purchase": "label",
}


@pytest.mark.parametrize("form", ["parquet", "csv", "tsv", "json lines"])
def test_every_column_gets_its_role_whatever_the_format(tmp_path: Path, form: str) -> None:
    path = tmp_path / "log"
    if form == "parquet":
        pq.write_table(log(), path)
    elif form == "json lines":
        path.write_text("\n".join(json.dumps(row) for row in log().to_pylist()))
    else:
        options = pyarrow.csv.WriteOptions(delimiter="," if form == "csv" else "\t")
        pyarrow.csv.write_csv(log(), path, options)
    found = infer(path)
    assert by_name(found) == EXPECTED
    assert found.whole and found.rows == 5000 and found.format == {"tsv": "csv"}.get(form, form)
    assert found.schema is not None and (found.schema.event_time, found.schema.user_key) == ("ts", "user_id")
    assert [(task.label, task.kind) for task in found.schema.tasks] == [
        ("clicked", "click"),
        ("purchase", "conversion"),
    ]
    hour, user = found.schema.feature("hour"), found.schema.feature("user_id")
    assert (hour.buckets, hour.hashed) == (24, False)
    assert user.hashed and 1600 <= user.buckets <= 4096
    assert all(column.reason for column in found.columns)
    told = " ".join(found.warnings)
    assert "'is_mobile' holds 0 and 1" in told and "'campaign' is text" in told and "'ts' as timestamp[us, UTC]" in told


def test_a_partition_is_proposed_a_schema_that_it_passes(tmp_path: Path) -> None:
    pq.write_table(table(3000), tmp_path / "p")
    found = infer(tmp_path / "p").schema
    assert found is not None
    assert {feature.name: feature.kind for feature in found.features} == {
        "user_id": "categorical", "hour": "categorical", "recent": "sequence", "age": "dense"
    } | {feature.name: feature.kind for feature in found.features if feature.name == "item_id"}  # fmt: skip
    assert found.feature("recent").max_length == schema().feature("recent").max_length
    assert [task.label for task in found.tasks] == ["clicked", "bought"]
    report = validate_partition(tmp_path / "p", found, START, END)
    assert [problem.column for problem in report.problems if problem.column != "item_id"] == []


def test_without_time_or_label_there_is_no_schema_but_a_reason(tmp_path: Path) -> None:
    pq.write_table(log().drop_columns(["ts", "converted_at", "clicked", "purchase"]), tmp_path / "p")
    found = infer(tmp_path / "p")
    assert found.schema is None
    told = " ".join(found.warnings)
    assert "No column holds times" in told and "named like a label" in told


def test_reading_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pq.write_table(log(), tmp_path / "p")
    pyarrow.csv.write_csv(log(), tmp_path / "c")
    for name in ("p", "c"):
        found = infer(tmp_path / name, rows=700)
        assert (found.rows, found.whole) == (700, False)
    monkeypatch.setattr(sample, "MAX_BYTES", 20_000)
    assert 0 < infer(tmp_path / "c").rows < 700
    monkeypatch.setattr(sample, "MAX_COLUMNS", 5)
    for name in ("p", "c"):
        with pytest.raises(DataError, match="13 columns, of at most 5"):
            infer(tmp_path / name)


def test_a_file_without_a_header_is_noticed(tmp_path: Path) -> None:
    options = pyarrow.csv.WriteOptions(include_header=False)
    pyarrow.csv.write_csv(log().select(["ts", "user_id", "clicked"]), tmp_path / "c", options)
    found = infer(tmp_path / "c")
    assert [column.name for column in found.columns] == ["f0", "f1", "f2"]
    assert any("no header" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"PAR1 and no more", b"\x1f\x8b\x08 packed", b"a,b\n\xff\xfe,1\n", b'{"a": 1\n{']
)
def test_what_is_no_table_is_a_sentence(tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "f").write_bytes(content)
    status = main([str(tmp_path / "f")])
    said = capsys.readouterr()
    assert status in (1, 2) and "Traceback" not in said.err
    assert said.err.startswith("infer: ") if status == 2 else json.loads(said.out)["schema"] is None


def test_the_command_prints_json_and_needs_no_torch(tmp_path: Path) -> None:
    pq.write_table(log(), tmp_path / "p")
    path = str(tmp_path / "p")
    code = f"import sys; from exfm_core.data.infer import main; main([{path!r}]); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    body, torch = done.stdout.strip().splitlines()
    assert json.loads(body)["schema"]["event_time"] == "ts" and torch == "False"
    assert bounded_main.__module__ == "exfm_core.data.infer"
