"""AUC and log loss on one chronological split against FuxiCTR, one pass over the training part each.

Both sides choose their learning rates on the validation part, then train anew on the training part, once per seed, and
predict the test part. The measures are computed here, by the same functions for both.
"""

import itertools
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bench import contenders, machine, report
from bench.dataset import Dataset
from bench.fuxictr import environment
from bench.protocol import Contender
from bench.shape import Shape
from exfm_core.metrics.auc import exact_auc
from exfm_core.metrics.sums import log_losses

RATES: dict[str, tuple[float, ...]] = {"dense_lr": (1e-3, 2e-3, 4e-3), "embedding_lr": (0.02, 0.05, 0.1)}
PEER_RATES = (1e-3, 2e-3, 4e-3)
LOADER = {"kind": "npz", "workers": 3, "shuffle": True}
"""FuxiCTR shuffles its training rows, its default; this project reads them in the order of their time."""
VARIANTS = {"same": "FuxiCTR, same shape", "own": "FuxiCTR, its DeepFM"}


def trial(peer: Contender, dataset: Dataset, split: str, request: dict[str, Any]) -> dict[str, float]:
    """Train one pass, predict the split, measure."""
    try:
        peer.ask("train", **request)
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "logits.npy")
            peer.ask("evaluate", split=split, into=path)
            logits, labels = np.load(path).astype(np.float32), dataset.labels(split)
    finally:
        peer.close()
    return {"auc": float(exact_auc(logits, labels) or np.nan), "logloss": float(log_losses(logits, labels).mean())}


def ours(
    dataset: Dataset, shape: Shape, threads: int, seeds: int, grid: dict[str, tuple[float, ...]]
) -> dict[str, Any]:
    """This project: rates by validation log loss, then a test result per seed."""
    tried = {}
    for dense, embedding in itertools.product(*grid.values()):
        candidate = replace(shape, dense_lr=dense, embedding_lr=embedding)
        tried[candidate] = trial(contenders.exfm(dataset, candidate, threads), dataset, "valid", {})["logloss"]
    best = min(tried, key=lambda candidate: tried[candidate])
    found = [trial(contenders.exfm(dataset, best, threads, seed), dataset, "test", {}) for seed in range(seeds)]
    return {"rates": {name: getattr(best, name) for name in grid}, "test": found}


def theirs(
    dataset: Dataset, shape: Shape, threads: int, seeds: int, variant: str, rates: tuple[float, ...]
) -> dict[str, Any]:
    """FuxiCTR: likewise."""

    def peer(seed: int, rate: float) -> Contender:
        return contenders.fuxictr(dataset, shape, threads, variant, seed, rate)

    tried = {rate: trial(peer(0, rate), dataset, "valid", LOADER)["logloss"] for rate in rates}
    best = min(tried, key=lambda rate: tried[rate])
    return {"rates": {"lr": best}, "test": [trial(peer(seed, best), dataset, "test", LOADER) for seed in range(seeds)]}


def run(
    dataset: Dataset,
    shape: Shape,
    threads: int,
    seeds: int,
    folder: Path = report.RESULTS,
    grid: dict[str, tuple[float, ...]] | None = None,
    peer_rates: tuple[float, ...] = PEER_RATES,
) -> dict[str, Any]:
    """Compare, print, write."""
    before = machine.load()
    found = {"exfm": ours(dataset, shape, threads, seeds, grid or RATES)}
    if environment.is_ready():
        for variant, name in VARIANTS.items():
            found[name] = theirs(dataset, shape, threads, seeds, variant, peer_rates)
    for result in found.values():
        for measure in ("auc", "logloss"):
            result[f"mean_{measure}"] = float(np.mean([each[measure] for each in result["test"]]))
    rows = [
        (
            name,
            f"{result['mean_auc']:.4f}",
            f"{result['mean_logloss']:.4f}",
            " ".join(f"{each['auc']:.4f}" for each in result["test"]),
            " ".join(f"{rate:g}" for rate in result["rates"].values()),
        )
        for name, result in found.items()
    ]
    title = f"Quality, {dataset.folder.name}: test part, one pass, {seeds} seeds"
    report.table(title, ("contender", "AUC", "log loss", "AUC by seed", "rates"), rows)
    settings = {"splits": dataset.splits, "shape": shape.__dict__, "seeds": seeds, "threads": threads}
    report.save(
        "quality", settings | {"grid": grid or RATES, "peer_rates": peer_rates, "load_before": before}, found, folder
    )
    return found
