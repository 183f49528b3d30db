"""The command: a JSON report and an exit code; bad usage is a sentence."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from exfm_core.data.validate import main

from .rows import schema, table

INTERVAL = ["--start", "2024-01-01T00:00:00Z", "--end", "2024-01-01T01:00:00Z"]


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    pq.write_table(table(100), tmp_path / "p")
    (tmp_path / "schema.json").write_text(json.dumps(schema().to_json()))
    return str(tmp_path / "schema.json"), str(tmp_path / "p")


def test_valid(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--schema", files[0], *INTERVAL, files[1]]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] and report["rows"] == 100 and set(report["positives"]) == {"click", "buy"}


def test_invalid(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    pq.write_table(table(100).drop_columns(["age"]), files[1])
    assert main(["--schema", files[0], *INTERVAL, files[1]]) == 1
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert set(problem) == {"column", "row", "expected", "found", "message"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--start", "2024-01-01", "--end", "2024-01-02T00:00:00Z"], "--start is '2024-01-01'"),
        (["--start", "2024-01-02T00:00:00Z", "--end", "2024-01-01T00:00:00Z"], "not before"),
        ([*INTERVAL[:2]], "--end"),
    ],
)
def test_bad_usage(files: tuple[str, str], capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    assert main(["--schema", files[0], *arguments, files[1]]) == 2
    captured = capsys.readouterr()
    assert said in captured.err and not captured.out


def test_bad_schema_and_missing_file(
    files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--schema", files[1], *INTERVAL, files[1]]) == 2
    assert main(["--schema", files[0], *INTERVAL, str(tmp_path / "gone")]) == 2
    (tmp_path / "bad.json").write_text(json.dumps({**schema().to_json(), "colour": 1}))
    assert main(["--schema", str(tmp_path / "bad.json"), *INTERVAL, files[1]]) == 2
    said = capsys.readouterr().err
    assert f"the schema {files[1]} is no JSON" in said
    assert "no file gone" in said and "'colour'" in said


def test_validating_never_loads_torch() -> None:
    code = "import sys, exfm_core.data.validate, exfm_core.metrics.sums; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
