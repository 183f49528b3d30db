"""What nobody waits for, as long as it stays so: rows of the synthetic stream, and the interval of a lift.

A demo generates each partition before it uploads it, and a page may show an interval for every model.
"""

from pathlib import Path
from typing import Any

import numpy as np

from bench import machine, report
from bench.inprocess import take_turns
from exfm_core.data.synthetic import AdsWorld, Traffic
from exfm_core.metrics.sums import BUCKETS, BucketSums, pooled_lift
from exfm_core.recipes.synthetic import Team, tenant

MODELS = 4


def compare(rows: int, rounds: int) -> dict[str, float]:
    """Rows generated per second; milliseconds of one interval over four models, its draws made before."""
    traffic = Traffic(1, "click", rows, ads=150)
    world = AdsWorld(seed=0, period_seconds=3600)
    schema = tenant(Team("t", "T", "d", "s", "m", "clicked", traffic), 0).schema
    rng = np.random.default_rng(0)
    buckets, labels = rng.integers(0, BUCKETS, 4000), rng.integers(0, 2, 4000)
    control, treatment = (BucketSums.of(buckets, labels, rng.normal(size=4000)) for _ in range(2))
    works = {
        "generation": lambda: world.partition(traffic, schema, 3),
        "interval": lambda: pooled_lift([(control, treatment)] * MODELS),
    }
    taken = {name: report.median([cost.wall for cost in costs]) for name, costs in take_turns(works, rounds).items()}
    return {"rows_per_s": rows / taken["generation"], "interval_ms": 1000 * taken["interval"]}


def run(rows: int, rounds: int, folder: Path = report.RESULTS) -> dict[str, Any]:
    """Measure, print, write."""
    before = machine.load()
    found = compare(rows, rounds)
    head = ("rows", "generated rows/s", f"interval of {MODELS} models, ms")
    report.table(f"Figures, {rounds} rounds", head, [(rows, found["rows_per_s"], found["interval_ms"])])
    report.save("figures", {"rows": rows, "rounds": rounds, "models": MODELS, "load_before": before}, found, folder)
    return found
