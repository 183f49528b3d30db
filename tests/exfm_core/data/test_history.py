"""History before a row never holds a row of the same second, against a brute-force reading."""

import numpy as np
import pytest

from exfm_core.data.public.history import latest_before, sums_before


def log(seed: int, count: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 9, count), rng.integers(0, 40, count), rng.integers(0, 1000, count), rng.random(count) < 0.5


@pytest.mark.parametrize("seed", range(3))
def test_sums_use_strictly_smaller_times(seed: int) -> None:
    key, time, item, chosen = log(seed)
    values = np.stack([np.ones(len(key)), chosen, item], axis=1).astype(np.float64)
    found = sums_before(key, time, values)
    for i in range(len(key)):
        before = (key == key[i]) & (time < time[i])
        np.testing.assert_allclose(found[i], values[before].sum(axis=0))


@pytest.mark.parametrize("seed", range(3))
def test_latest_items_use_strictly_smaller_times(seed: int) -> None:
    key, time, item, chosen = log(seed)
    order = np.argsort(time, kind="stable")
    key, time, item, chosen = key[order], time[order], item[order], chosen[order]
    flat, offsets = latest_before(key, time, item, chosen, 3)
    for i in range(len(key)):
        before = np.flatnonzero((key == key[i]) & (time < time[i]) & chosen)
        assert flat[offsets[i] : offsets[i + 1]].tolist() == item[before][-3:].tolist()


def test_one_second_is_no_history() -> None:
    key, time = np.zeros(5, np.int64), np.full(5, 7)
    assert not sums_before(key, time, np.ones((5, 1))).any()
    flat, offsets = latest_before(key, time, np.arange(5), np.ones(5, np.bool_), 3)
    assert len(flat) == 0 and not offsets.any()
