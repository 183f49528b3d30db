"""Synthetic rows with the load of an ads model: many large tables whose ids follow Zipf's law."""

from pathlib import Path

import numpy as np

from bench.dataset import Dataset, write

EXPONENT = 1.05
CLICK_RATE_LOGIT = -1.2


def make(folder: Path, tables: int, ids: int, rows: int, seed: int = 0) -> Dataset:
    """`tables` columns of ids in [0, ids), each with its own order of popularity; labels from a hidden additive
    model."""
    g = np.random.default_rng(seed)
    weights = 1.0 / np.arange(1, ids + 1) ** EXPONENT
    edges = np.cumsum(weights / weights.sum())
    columns, logit = {}, np.full(rows, CLICK_RATE_LOGIT)
    for table in range(tables):
        rank = np.minimum(np.searchsorted(edges, g.random(rows)), ids - 1)
        columns[f"c{table:02}"] = g.permutation(ids)[rank]
        logit += g.normal(0.0, 1.0 / np.sqrt(tables), ids)[rank]
    labels = (g.random(rows) < 1.0 / (1.0 + np.exp(-logit))).astype(np.int8)
    return write(folder, dict.fromkeys(columns, ids), columns, labels, {"train": rows})
