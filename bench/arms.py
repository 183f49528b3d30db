"""What the treatment arm (AH + SA) costs beside the plain step, and both arms over one read, in processor seconds.

A pass is a partition in memory through `VerticalTrainer`: read, trained, measured. The three passes take turns.
"""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench import machine, report
from bench.dataset import Dataset
from bench.inprocess import slice_of, take_turns, teacher_logits
from bench.ours import spec_of
from bench.shape import Shape
from exfm_core.spec import Supervision
from exfm_core.train.runtime import configure
from exfm_core.train.vertical import VerticalTrainer

BATCHES = {4096: 8, 128: 100, 32: 200}
"""Batch size → batches in a pass."""


def compare(dataset: Dataset, shape: Shape, pairs: int, batches: dict[int, int]) -> dict[str, Any]:
    """Cost ratios to the plain pass per batch size. `shape.batch_size` is not read."""
    return {
        str(size): passes(dataset, replace(shape, batch_size=size), count, pairs) for size, count in batches.items()
    }


def passes(dataset: Dataset, shape: Shape, batches: int, pairs: int) -> dict[str, Any]:
    """Cost ratios to the plain pass at one batch size."""
    rows = min(shape.batch_size * batches, dataset.splits["train"])
    partition, logits = slice_of(dataset, rows), teacher_logits(rows)
    spec = replace(spec_of(shape, dataset.schema), supervision=Supervision("safe"))

    def over(*arms: str) -> Callable[[], object]:
        trainer = VerticalTrainer(spec, dataset.schema, arms)
        return lambda: trainer.train(io.BytesIO(partition), rows, logits, True)

    works = {"plain": over("control"), "treatment": over("treatment"), "both": over("control", "treatment")}
    cpu = {name: [cost.cpu for cost in costs] for name, costs in take_turns(works, pairs).items()}
    return {
        "plain_ms_per_batch": 1e3 * report.median(cpu["plain"]) / -(-rows // shape.batch_size),
        "treatment": report.ratio(cpu["treatment"], cpu["plain"]),
        "both": report.ratio(cpu["both"], cpu["plain"]),
    }


def run(
    shapes: dict[str, tuple[Dataset, Shape]],
    threads: int,
    pairs: int,
    batches: dict[int, int] | None = None,
    folder: Path = report.RESULTS,
) -> dict[str, Any]:
    """Compare, print, write."""
    before = machine.load()
    configure(threads)
    found = {name: compare(dataset, shape, pairs, batches or BATCHES) for name, (dataset, shape) in shapes.items()}
    rows = [
        (name, size, cell["plain_ms_per_batch"], report.show_ratio(cell["treatment"]), report.show_ratio(cell["both"]))
        for name, by_size in found.items()
        for size, cell in by_size.items()
    ]
    head = ("model", "batch", "plain, CPU ms/batch", "treatment ÷ plain", "both ÷ plain")
    report.table(f"Arms: processor time, {threads} thread(s), {pairs} interleaved passes", head, rows)
    settings = {
        "shapes": {name: shape.__dict__ for name, (_, shape) in shapes.items()},
        "fields": {name: len(dataset.fields) for name, (dataset, _) in shapes.items()},
        "supervision": Supervision("safe").to_json(),
        "threads": threads,
        "pairs": pairs,
        "load_before": before,
    }
    report.save("arms", settings, found, folder)
    return found
