"""What an exported graph is measured by: equality with the training code's model, and latency. Torch-free."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from exfm_core.export.requests import Column, RequestEncoder
from exfm_core.spec import Feature

LATENCY_BATCHES: Final = (1, 64)


def random_columns(encoder: RequestEncoder, rows: int, seed: int) -> dict[str, Column]:
    """Raw values that fit the features, bags of every length from 0 among them."""
    rng = np.random.default_rng(seed)
    columns: dict[str, Column] = {}
    for feature in encoder.features:
        if feature.kind == "dense":
            columns[feature.name] = rng.normal(size=rows).astype(np.float32)
        elif feature.kind == "categorical":
            columns[feature.name] = _ids(encoder, feature, rows, rng)
        else:
            lengths = rng.integers(0, feature.max_length + 1, rows)
            columns[feature.name] = [_ids(encoder, feature, length, rng).tolist() for length in lengths]
    return columns


def _ids(encoder: RequestEncoder, feature: Feature, count: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Ids the feature may have; of a managed one, known and unknown ones."""
    if feature.managed and feature.name in encoder.maps:
        known = encoder.maps[feature.name].ids_of(np.arange(feature.buckets))
        return np.where(rng.random(count) < 0.8, rng.choice(np.maximum(known, 0), count), 1 << 60)
    top = feature.buckets if feature.bounded else np.iinfo(np.int64).max
    return rng.integers(0, top, count)


def latency_us(run: Callable[[], Any], *, seconds: float = 0.3, most: int = 2000) -> dict[str, float]:
    """p50, p99 and number of calls of `run`, in microseconds, after a warm-up of 10 calls. At least 50 calls."""
    for _ in range(10):
        run()
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while len(taken) < 50 or (len(taken) < most and time.perf_counter() < end):
        before = time.perf_counter()
        run()
        taken.append(time.perf_counter() - before)
    p50, p99 = np.percentile(np.asarray(taken) * 1e6, [50, 99])
    return {"p50": round(float(p50), 1), "p99": round(float(p99), 1), "calls": len(taken)}


def largest_difference(found: npt.NDArray[np.float32], expected: npt.NDArray[np.float32]) -> float:
    """max |a − b|; NaN if either has one, so that a comparison with a bound fails."""
    return float(np.max(np.abs(found.astype(np.float64) - expected.astype(np.float64)), initial=0.0))
