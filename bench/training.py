"""Rows per second of training, data loading included, against FuxiCTR and against the plain EmbeddingBag loop.

Contenders take turns, one pass over the data each; the ratio is taken pass by pass, its median is quoted.
"""

from pathlib import Path
from typing import Any

from bench import contenders, machine, report
from bench.dataset import Dataset
from bench.fuxictr import environment
from bench.protocol import Contender
from bench.shape import Shape

OPTIMISERS = {
    "exfm": "Adam (dense, fused), row-wise Adagrad in the backward pass (embeddings)",
    "FuxiCTR": "Adam over all weights, its default, gradient norm clipped at 10",
    "EmbeddingBag": "Adam (dense), SparseAdam (embeddings)",
}
RATIOS = {"times_faster": "exfm is × as fast", "times_less_cpu": "takes × the CPU of exfm"}


def compare(dataset: Dataset, shape: Shape, threads: int, rounds: int, own: bool = True) -> dict[str, Any]:
    """Let them take turns. `own`: FuxiCTR's own DeepFM too."""
    peers: dict[str, Contender] = {"exfm": contenders.exfm(dataset, shape, threads)}
    requests: dict[str, dict[str, Any]] = {"exfm": {}, "EmbeddingBag": {}}
    loaders: dict[str, float] = {}
    peers["EmbeddingBag"] = contenders.embedding_bag(dataset, shape, threads)
    if environment.is_ready():
        peers["FuxiCTR"] = contenders.fuxictr(dataset, shape, threads)
        chosen, loaders = contenders.best_loader(peers["FuxiCTR"])
        requests["FuxiCTR"] = chosen
        if own:
            peers["FuxiCTR, its DeepFM"] = contenders.fuxictr(dataset, shape, threads, "own")
            requests["FuxiCTR, its DeepFM"] = chosen
    try:
        parameters = {name: p.ask("parameters")["parameters"] for name, p in peers.items() if name != "EmbeddingBag"}
        taken: dict[str, list[dict[str, float]]] = {name: [] for name in peers}
        for turn in range(rounds + 1):
            for name, peer in peers.items():
                found = peer.ask("train", **requests[name])
                if turn:  # the first turn warms up
                    taken[name].append(found)
    finally:
        for peer in peers.values():
            peer.close()
    return summary(taken) | {"loaders_rows_per_s": loaders, "loader": requests.get("FuxiCTR"), "parameters": parameters}


def summary(taken: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    """Rates of every contender and the ratios of ours to each."""
    rates = {name: [each["rows"] / each["wall"] for each in found] for name, found in taken.items()}
    costs = {name: [1e6 * each["cpu"] / each["rows"] for each in found] for name, found in taken.items()}
    return {
        "rows_per_s": {name: report.median(found) for name, found in rates.items()},
        "cpu_us_per_row": {name: report.median(found) for name, found in costs.items()},
        "times_faster": {name: report.ratio(rates["exfm"], found) for name, found in rates.items() if name != "exfm"},
        "times_less_cpu": {name: report.ratio(found, costs["exfm"]) for name, found in costs.items() if name != "exfm"},
        "rows_per_s_by_round": rates,
    }


def run(dataset: Dataset, shape: Shape, threads: int, rounds: int, folder: Path = report.RESULTS) -> dict[str, Any]:
    """Compare, print, write."""
    before = machine.load()
    found = compare(dataset, shape, threads, rounds)
    rows = [
        (
            name,
            rate,
            found["cpu_us_per_row"][name],
            *(report.show_ratio(found[ratio][name]) if name != "exfm" else "" for ratio in RATIOS),
        )
        for name, rate in found["rows_per_s"].items()
    ]
    title = (
        f"Training, {dataset.folder.name}: {len(dataset.fields)} fields, batch {shape.batch_size}, {threads} thread(s)"
    )
    report.table(title, ("contender", "rows/s", "CPU µs/row", *RATIOS.values()), rows)
    settings = {
        "fields": dataset.fields,
        "rows": dataset.splits["train"],
        "shape": shape.__dict__,
        "threads": threads,
        "rounds": rounds,
        "optimisers": OPTIMISERS,
        "load_before": before,
    }
    report.save(f"training-{dataset.folder.name}-{threads}t", settings, found, folder)
    return found
