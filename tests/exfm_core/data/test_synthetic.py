"""The synthetic stream is reproducible, moves, and labels follow the probabilities it states."""

import dataclasses
import sys

import numpy as np
import pyarrow as pa

from exfm_core.data.synthetic import AdsWorld, Traffic
from exfm_core.recipes.synthetic import Team, tenant
from exfm_core.spec import StreamSchema

TRAFFIC = Traffic(1, "click", 20_000, ads=150)


def schema_of(traffic: Traffic) -> StreamSchema:
    return tenant(Team("t", "T", "d", "s", "m", "clicked", traffic), 0).schema


def rows(period: int, *, seed: int = 0, traffic: Traffic = TRAFFIC) -> pa.Table:
    return AdsWorld(seed=seed, period_seconds=3600).partition(traffic, schema_of(traffic), period)[2]


def test_same_seed_same_rows_in_any_order_of_asking() -> None:
    world = AdsWorld(seed=0, period_seconds=3600)
    schema = schema_of(TRAFFIC)
    world.partition(TRAFFIC, schema, 7)
    assert world.partition(TRAFFIC, schema, 3)[2].equals(rows(3))
    assert not rows(3, seed=1).equals(rows(3))


def test_labels_are_drawn_with_the_stated_probability() -> None:
    content = rows(2)
    y, p = content.column("clicked").to_numpy(), content.column("true_probability").to_numpy()
    for part in np.array_split(np.argsort(p), 10):
        spread = np.sqrt((p[part] * (1 - p[part])).sum())
        assert abs(y[part].sum() - p[part].sum()) < 4 * spread


def test_users_and_ads_join_and_leave() -> None:
    first = rows(0)
    for column, other, overlap in (("user_id", rows(12), 0.95), ("ad_id", rows(3), 0.9)):
        before, after = (set(part.column(column).to_pylist()) for part in (first, other))
        assert 0 < len(before & after) / len(before) < overlap


def test_truth_drifts() -> None:
    """The same category's rate moves by more than its standard error over a dozen periods."""
    first, last = rows(0), rows(15)
    moved = []
    for category in range(24):
        rates = []
        for part in (first, last):
            chosen = part.column("category").to_numpy() == category
            rates.append(part.column("true_probability").to_numpy()[chosen].mean() if chosen.any() else np.nan)
        moved.append(abs(np.log(rates[0] / rates[1])))
    assert np.nanmedian(moved) > 0.1


def test_late_conversions_count_as_none() -> None:
    slow, quick = (
        rows(0, traffic=Traffic(1, "conversion", 20_000, delay=delay)).column("true_probability").to_numpy().mean()
        for delay in (2.0, 0.01)
    )
    assert abs(slow / quick - (1 - np.exp(-0.5))) < 0.02


def test_no_step_of_the_generation_is_per_row() -> None:
    """Thirty times the rows take as many calls, garbage collection aside; `python -m bench figures` has the speed."""
    world = AdsWorld(seed=0, period_seconds=3600)

    def calls(rows: int) -> int:
        traffic, made = dataclasses.replace(TRAFFIC, rows=rows), []
        sys.setprofile(lambda frame, event, argument: made.append(event) if event in {"call", "c_call"} else None)
        try:
            world.partition(traffic, schema_of(traffic), 3)
        finally:
            sys.setprofile(None)
        return len(made)

    calls(1000)
    assert calls(30_000) < calls(1000) + 1000
