"""Speed of a device's parts: matrix products of several sizes, embedding rows read and updated."""

import time
from collections.abc import Callable
from typing import Any, Final

import torch

from exfm_core.cost.device import MatrixRate
from exfm_core.models.embeddings import Tables
from exfm_core.models.inputs import Inputs

WIDTHS: Final = (16, 32, 64, 128, 256, 512)
BATCHES: Final = (1, 64, 256)
_ROWS, _DIM, _FEATURES, _BATCH = 200_000, 16, 8, 512


def median_seconds(run: Callable[[], Any], seconds: float) -> float:
    """Median time of a call over about `seconds`, at least 5 calls after a first one."""
    run()
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while len(taken) < 5 or time.perf_counter() < end:
        before = time.perf_counter()
        run()
        taken.append(time.perf_counter() - before)
    return sorted(taken)[len(taken) // 2]


def matrix_rates(seconds: float) -> tuple[MatrixRate, ...]:
    """GFLOP/s of [rows, w] × [w, w] in float32."""
    found = []
    for batch in BATCHES:
        for width in WIDTHS:
            a, b = torch.randn(batch, width), torch.randn(width, width)
            out = torch.empty(batch, width)
            taken = median_seconds(lambda a=a, b=b, out=out: torch.mm(a, b, out=out), seconds)  # type: ignore[misc]
            flops = 2.0 * batch * width * width
            found.append(MatrixRate(batch, flops, round(flops / taken / 1e9, 4)))
    return tuple(found)


def embedding_gbs(seconds: float) -> tuple[float, float]:
    """GB/s of rows gathered and of rows updated by row-wise Adagrad, as the training kernel does it (bytes of the rows
    looked up; random ids over a table larger than the caches)."""
    names = {f"t{i}": _ROWS for i in range(_FEATURES)}
    tables = Tables(names, _DIM, 0.05, torch.Generator().manual_seed(0))
    count = _FEATURES * _BATCH
    indices = torch.randint(0, _ROWS, (count,), generator=torch.Generator().manual_seed(1))
    inputs = Inputs(indices, torch.arange(count + 1), torch.zeros(_BATCH, 0))

    def forward() -> None:
        with torch.no_grad():
            tables(inputs, checked=True)

    weights = torch.ones(_BATCH, _FEATURES, _DIM)

    def both() -> None:
        torch.autograd.backward(tables(inputs, checked=True), weights)

    read = median_seconds(forward, seconds)
    update = max(median_seconds(both, seconds) - read, read / 10)
    size = count * _DIM * 4
    return round(size / read / 1e9, 4), round(size / update / 1e9, 4)
