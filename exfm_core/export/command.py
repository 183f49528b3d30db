"""`python -m exfm_core export …` and `python -m exfm_core predict …`. Imports torch for the first only."""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from exfm_core.errors import CheckpointError, DataError, ExfmError, sentence
from exfm_core.export.predictor import ONE_THREAD_ROWS, Predictor


def export_main(arguments: Sequence[str]) -> int:
    """``export FILE --out FOLDER [--int8] [--budget-us N]``: prints the manifest's sha256.

    Returns 0 when the folder is there, 1 where it was refused; bad usage exits with 2.
    """
    parser = argparse.ArgumentParser(
        prog="python -m exfm_core export",
        description="Export a vertical model for serving: ONNX, without the teacher's parts.",
    )
    parser.add_argument("file", type=Path, help="checkpoint or serving file of a vertical model (.safetensors)")
    parser.add_argument("--out", type=Path, required=True, help="new folder")
    parser.add_argument("--int8", action="store_true", help="store the tables in 8 bits, one scale per row")
    parser.add_argument("--budget-us", type=float, help="refuse if the measured p99 of one row takes longer")
    options = parser.parse_args(list(arguments))
    if options.budget_us is not None and not 0 < options.budget_us < math.inf:
        parser.error("--budget-us is a number of microseconds above 0")
    try:
        from exfm_core.export.onnx_file import export_folder

        data = options.file.read_bytes()
        _check_name(options.file, data)
        digest = export_folder(data, options.out, int8=options.int8, budget_us=options.budget_us)
    except (ExfmError, OSError) as error:
        place = f"{options.file}: " if isinstance(error, CheckpointError) else ""
        print(f"export: {place}{sentence(error)}", file=sys.stderr)
        return 1
    checked = json.loads((options.out / "manifest.json").read_text(encoding="utf-8"))["checked"]
    print(json.dumps({"folder": str(options.out), "manifest_sha256": digest, "checked": checked}))
    return 0


def _check_name(file: Path, data: bytes) -> None:
    """A run's folder names a checkpoint by its sha256: raises CheckpointError if such a name is not that of `data`."""
    if re.fullmatch("[0-9a-f]{64}", file.stem) and file.stem != hashlib.sha256(data).hexdigest():
        raise CheckpointError(
            "checkpoint.damaged",
            "This is not what the run stored: its hash is not its name.",
            "Restore it from a backup, or export the checkpoint of another run.",
        )


def predict_main(arguments: Sequence[str]) -> int:
    """``predict FOLDER < rows.jsonl``: a line of probabilities per line of feature values. 0 done, 1 refused."""
    parser = argparse.ArgumentParser(
        prog="python -m exfm_core predict",
        description='Read rows such as {"item_id": 7, "recent": [1, 2], "age": 0.5}, write {"click": 0.031}.',
    )
    parser.add_argument("folder", type=Path, help="folder that export wrote")
    parser.add_argument("--manifest-sha256", help="refuse the folder unless its manifest has this hash")
    options = parser.parse_args(list(arguments))
    try:
        predictor = Predictor(options.folder, manifest_sha256=options.manifest_sha256)
        for answers in predict_lines(predictor, sys.stdin):
            print("\n".join(answers))
    except UnicodeDecodeError as error:
        print(f"predict: the rows are no UTF-8 text: {error}. One JSON object per line.", file=sys.stderr)
        return 1
    except (ExfmError, OSError) as error:
        print(f"predict: {sentence(error)}", file=sys.stderr)
        return 1
    return 0


def predict_lines(predictor: Predictor, lines: TextIO | Iterable[str]) -> Iterator[list[str]]:
    """Answers in batches of up to 64 lines. Raises DataError that names the first bad line of a batch."""
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    while chunk := list(islice(numbered, ONE_THREAD_ROWS)):
        rows = [_row(number, line) for number, line in chunk]
        try:
            columns = {f.name: [row[f.name] for row in rows] for f in predictor.encoder.features}
            found = predictor.predict(columns)
        except KeyError as error:
            number = next(n for (n, _), row in zip(chunk, rows, strict=True) if error.args[0] not in row)
            raise DataError(
                "serving.missing_column", f"Line {number} lacks {error.args[0]!r}.", "Send every feature."
            ) from error
        except DataError as error:
            raise _first_bad(predictor, [number for number, _ in chunk], rows, error) from error
        by_task = {task: found[task].tolist() for task in predictor.tasks}
        yield [json.dumps({task: values[i] for task, values in by_task.items()}) for i in range(len(rows))]


def _first_bad(
    predictor: Predictor, numbers: Sequence[int], rows: Sequence[dict[str, Any]], found: DataError
) -> DataError:
    """`found`, of a batch, with the number of the line that is to blame; the batch's lines if none is alone."""
    for number, row in zip(numbers, rows, strict=True):
        try:
            predictor.encoder.encode({f.name: [row[f.name]] for f in predictor.encoder.features})
        except DataError as error:
            return DataError(error.code, f"Line {number}: {error.message}", error.mend)
    return DataError(found.code, f"Lines {numbers[0]} to {numbers[-1]}: {found.message}", found.mend)


def _row(number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise DataError(
            "serving.bad_line", f"Line {number} is no JSON: {error}.", "One JSON object per line."
        ) from error
    if not isinstance(row, dict):
        raise DataError("serving.bad_line", f"Line {number} is no JSON object.", "One JSON object per line.")
    return row
