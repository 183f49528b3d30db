"""Who takes part in a comparison, and how each is started."""

import sys

from bench.dataset import Dataset
from bench.fuxictr import environment
from bench.protocol import Contender
from bench.shape import Shape

LOADERS = (("npz", 1), ("npz", 2), ("npz", 3), ("parquet", 1))
"""FuxiCTR's loaders that are tried: npz with 1 (its default), 2 and 3 worker processes, Parquet through Ray."""


def exfm(dataset: Dataset, shape: Shape, threads: int, seed: int = 0) -> Contender:
    """This project's trainer."""
    command = [sys.executable, "-m", "bench.ours", str(dataset.folder), shape.json()]
    return Contender(
        f"exfm {dataset.folder.name} {seed}", [*command, f"--threads={threads}", f"--seed={seed}"], threads
    )


def embedding_bag(dataset: Dataset, shape: Shape, threads: int) -> Contender:
    """The plain loop."""
    command = [sys.executable, "-m", "bench.embedding_bag", str(dataset.folder), shape.json()]
    return Contender(f"EmbeddingBag {dataset.folder.name}", [*command, f"--threads={threads}"], threads)


def fuxictr(
    dataset: Dataset, shape: Shape, threads: int, variant: str = "same", seed: int = 0, rate: float = 1e-3
) -> Contender:
    """FuxiCTR, `variant` same or own."""
    command = [str(environment.PYTHON), "-m", "bench.fuxictr.peer", str(dataset.folder), shape.json()]
    options = [f"--threads={threads}", f"--variant={variant}", f"--seed={seed}", f"--rate={rate}"]
    return Contender(f"FuxiCTR {variant} {dataset.folder.name} {seed}", [*command, *options], threads)


def best_loader(
    peer: Contender, tries: tuple[tuple[str, int], ...] = LOADERS
) -> tuple[dict[str, int | str], dict[str, float]]:
    """FuxiCTR's fastest loader on this machine, by one training pass each after a first one; and all their rows/s."""
    peer.ask("train", kind=tries[0][0], workers=tries[0][1])
    rates: dict[str, float] = {}
    for kind, workers in tries:
        taken = peer.ask("train", kind=kind, workers=workers)
        rates[f"{kind} {workers}"] = taken["rows"] / taken["wall"]
    kind, number = max(rates, key=lambda name: rates[name]).split()
    return {"kind": kind, "workers": int(number)}, rates
