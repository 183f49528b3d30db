"""The scoring service against the foundation model's bare forward pass on batches in memory."""

import io
from pathlib import Path
from typing import Any

import torch

from bench import machine, report
from bench.dataset import Dataset
from bench.inprocess import slice_of, take_turns, tenant
from exfm_core.das.scorer import BATCH_ROWS, score
from exfm_core.das.snapshots import Snapshot
from exfm_core.data.encode import blocks, foundation_layout
from exfm_core.models.foundation import FoundationNet
from exfm_core.spec import Feature, FoundationModel, FoundationSpec
from exfm_core.train.foundation_rows import with_tenant
from exfm_core.train.rows import Cutter, Rows, spans
from exfm_core.train.runtime import configure

SLOT = 1


def snapshot(dataset: Dataset) -> Snapshot:
    """A foundation model of the default shape over the data set's fields."""
    features = tuple(Feature(name, buckets=size, hashed=False) for name, size in dataset.fields.items())
    spec = FoundationSpec(FoundationModel(features, ("click",)))
    return Snapshot(FoundationNet(spec), spec, "2020-01-01T00:00:00+00:00", frozenset({SLOT}))


def compare(dataset: Dataset, rows: int, rounds: int) -> dict[str, Any]:
    """Share of the bare rate, by the clock and by the processors."""
    rows = min(rows, dataset.splits["train"])
    model, schema, partition = snapshot(dataset), tenant(dataset.schema), slice_of(dataset, rows)
    cut = []
    for block in blocks(io.BytesIO(partition), foundation_layout(model.spec.model, schema), BATCH_ROWS):
        every = with_tenant(Rows.of(block, SLOT))
        cutter, slots = Cutter(every), torch.from_numpy(every.slots)
        cut += [(cutter.inputs(a, b), slots[a:b]) for a, b in spans(len(every), BATCH_ROWS)]

    @torch.no_grad()
    def bare() -> None:
        for inputs, slots_b in cut:
            model.net(inputs, slots_b, checked=True)

    taken = take_turns({"bare": bare, "scored": lambda: score(model, io.BytesIO(partition), schema, SLOT)}, rounds)
    return {
        "rows_per_s": {name: rows / report.median([cost.wall for cost in costs]) for name, costs in taken.items()},
        "share_of_bare_rate": report.ratio(*[[c.wall for c in taken[name]] for name in ("bare", "scored")]),
        "share_by_cpu": report.ratio(*[[c.cpu for c in taken[name]] for name in ("bare", "scored")]),
    }


def run(
    datasets: dict[str, Dataset], threads: int, rows: int, rounds: int, folder: Path = report.RESULTS
) -> dict[str, Any]:
    """Compare, print, write."""
    before = machine.load()
    configure(threads)
    found = {name: compare(dataset, rows, rounds) for name, dataset in datasets.items()}
    lines = [
        (
            name,
            cell["rows_per_s"]["bare"],
            cell["rows_per_s"]["scored"],
            report.show_ratio(cell["share_of_bare_rate"]),
            report.show_ratio(cell["share_by_cpu"]),
        )
        for name, cell in found.items()
    ]
    head = ("data", "bare rows/s", "scored rows/s", "share (clock)", "share (CPU)")
    report.table(f"Scoring, {threads} thread(s), {rounds} interleaved rounds", head, lines)
    settings = {"threads": threads, "rows": rows, "rounds": rounds, "batch": BATCH_ROWS, "load_before": before}
    report.save("scoring", settings, found, folder)
    return found
