"""How much of the model's own step rate is left when its rows come out of a Parquet file and are measured.

Own rate: `Student.step` on batches already cut, in memory. Pipeline: `VerticalTrainer` from the file to the sums.
"""

import io
from pathlib import Path
from typing import Any

from bench import machine, report
from bench.dataset import Dataset
from bench.inprocess import batches, slice_of, take_turns
from bench.ours import spec_of
from bench.shape import Shape
from exfm_core.distill.student import Student
from exfm_core.train.runtime import configure
from exfm_core.train.vertical import VerticalTrainer


def compare(dataset: Dataset, shape: Shape, rows: int, rounds: int) -> dict[str, Any]:
    """Share of the own rate, by the clock and by the processors."""
    rows = min(rows, dataset.splits["train"])
    spec, schema = spec_of(shape, dataset.schema), dataset.schema
    trainer, student = VerticalTrainer(spec, schema, ("control",)), Student(spec, schema, None)
    partition = slice_of(dataset, rows)
    cut = batches(partition, trainer.layout, shape.batch_size)

    def own() -> None:
        for inputs, y_b in cut:
            student.step(inputs, y_b)

    works = {"own": own, "pipeline": lambda: trainer.train(io.BytesIO(partition), rows, None, True)}
    taken = take_turns(works, rounds)
    return {
        "rows_per_s": {name: rows / report.median([cost.wall for cost in costs]) for name, costs in taken.items()},
        "share_of_own_rate": report.ratio(*[[c.wall for c in taken[name]] for name in ("own", "pipeline")]),
        "share_by_cpu": report.ratio(*[[c.cpu for c in taken[name]] for name in ("own", "pipeline")]),
    }


def run(
    shapes: dict[str, tuple[Dataset, Shape]], threads: int, rows: int, rounds: int, folder: Path = report.RESULTS
) -> dict[str, Any]:
    """Compare, print, write."""
    before = machine.load()
    configure(threads)
    found = {name: compare(dataset, shape, rows, rounds) for name, (dataset, shape) in shapes.items()}
    lines = [
        (
            name,
            cell["rows_per_s"]["own"],
            cell["rows_per_s"]["pipeline"],
            report.show_ratio(cell["share_of_own_rate"]),
            report.show_ratio(cell["share_by_cpu"]),
        )
        for name, cell in found.items()
    ]
    head = ("model", "own rows/s", "pipeline rows/s", "share (clock)", "share (CPU)")
    report.table(f"Pipeline, {threads} thread(s), {rounds} interleaved rounds", head, lines)
    settings = {
        "shapes": {name: shape.__dict__ for name, (_, shape) in shapes.items()},
        "rows": rows,
        "load_before": before,
    }
    report.save("pipeline", settings | {"threads": threads, "rounds": rounds}, found, folder)
    return found
