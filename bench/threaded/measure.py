"""Training end to end with the threaded kernel in the fused one's place, against the fused one, in turns.

It would become a back end where it wins a quarter of the whole; this says what it wins.
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bench import machine, report
from bench.dataset import Dataset
from bench.inprocess import slice_of, take_turns
from bench.ours import spec_of
from bench.protocol import ROOT
from bench.shape import Shape
from exfm_core.models.embeddings import EPS
from exfm_core.train.runtime import configure
from exfm_core.train.vertical import VerticalTrainer


def build() -> Any:
    """Compile the kernel below var/bench; a compiler and ninja must be there."""
    from torch.utils.cpp_extension import load

    folder = ROOT / "var" / "bench" / "threaded"
    folder.mkdir(parents=True, exist_ok=True)
    flags = ["-O3", "-march=native", "-ffast-math", "-fopenmp"]
    source = str(Path(__file__).with_name("kernel.cpp"))
    return load("exfm_threaded", [source], extra_cflags=flags, extra_ldflags=["-fopenmp"], build_directory=str(folder))


class ThreadedKernel:
    """The kernel behind the interface of the back ends."""

    def __init__(self, library: Any, weights: list[Tensor], learning_rate: float) -> None:
        sizes = [len(weight) for weight in weights]
        self.library, self.learning_rate = library, learning_rate
        self.table, self.state = torch.cat(weights).clone(), torch.zeros(sum(sizes))
        self.weights, self.states = list(torch.split(self.table, sizes)), list(torch.split(self.state, sizes))
        self.sizes = torch.tensor(sizes)
        self.starts = torch.tensor([0, *sizes[:-1]]).cumsum(0)
        self.anchor = torch.zeros((), requires_grad=True)

    def lookup(self, indices: Tensor, offsets: Tensor, rows: int) -> Tensor:
        """Pooled rows [B, F·D]."""
        pooled: Tensor = _Lookup.apply(self.anchor, self, indices, rows)  # type: ignore[no-untyped-call]
        return pooled


class _Lookup(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, anchor: Tensor, kernel: ThreadedKernel, indices: Tensor, rows: int) -> Tensor:
        ctx.kernel, ctx.indices = kernel, indices
        pooled: Tensor = kernel.library.pool(indices, kernel.starts, kernel.table, rows)
        return pooled

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, None, None, None]:
        k = ctx.kernel
        grad = grads[0].contiguous()
        k.library.update(ctx.indices, k.starts, k.sizes, k.table, k.state, grad, k.learning_rate, EPS)
        return None, None, None, None


def compare(dataset: Dataset, shape: Shape, rows: int, rounds: int) -> dict[str, Any]:
    """Rates of both and how many times as fast the threaded one is."""
    library, rows = build(), min(rows, dataset.splits["train"])
    spec, schema, partition = spec_of(shape, dataset.schema), dataset.schema, slice_of(dataset, rows)
    trainers = {name: VerticalTrainer(spec, schema, ("control",)) for name in ("fused", "threaded")}
    tables = trainers["threaded"].students["control"].net.tables
    tables.kernel = ThreadedKernel(library, tables.kernel.weights, shape.embedding_lr)

    def over(name: str) -> Callable[[], object]:
        return lambda: trainers[name].train(io.BytesIO(partition), rows, None, True)

    taken = take_turns({name: over(name) for name in trainers}, rounds)
    pairs = zip(*(t.students["control"].net.tables.kernel.weights for t in trainers.values()), strict=True)
    return {
        "rows_per_s": {name: rows / report.median([cost.wall for cost in costs]) for name, costs in taken.items()},
        "times_faster": report.ratio(*[[c.wall for c in taken[name]] for name in ("fused", "threaded")]),
        "largest_difference_of_weights": max(float((a - b).abs().max()) for a, b in pairs),
    }


def run(
    shapes: dict[str, tuple[Dataset, Shape]], threads: int, rows: int, rounds: int, folder: Path = report.RESULTS
) -> dict[str, Any]:
    """Compare, print, write."""
    before = machine.load()
    configure(threads)
    found = {name: compare(dataset, shape, rows, rounds) for name, (dataset, shape) in shapes.items()}
    lines = [
        (name, cell["rows_per_s"]["fused"], cell["rows_per_s"]["threaded"], report.show_ratio(cell["times_faster"]))
        for name, cell in found.items()
    ]
    head = ("model", "fused rows/s", "threaded rows/s", "threaded is × as fast")
    report.table(f"Threaded embedding kernel, {threads} thread(s), {rounds} interleaved rounds", head, lines)
    settings = {
        "shapes": {name: shape.__dict__ for name, (_, shape) in shapes.items()},
        "rows": rows,
        "load_before": before,
    }
    report.save(f"threaded-{threads}t", settings | {"threads": threads, "rounds": rounds}, found, folder)
    return found
