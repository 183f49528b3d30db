"""The index of the past against loops: strictly earlier events only."""

import numpy as np
import pytest

from exfm_core.data.public.past import Past, first_times, happened_before


@pytest.mark.parametrize("seed", range(3))
def test_against_loops(seed: int) -> None:
    draw = np.random.default_rng(seed)
    keys, times = draw.integers(0, 6, 400), draw.integers(0, 50, 400)
    past = Past(keys, times)
    asked, at = draw.integers(0, 8, 300), draw.integers(-5, 60, 300)
    start, end = past.start(asked), past.end(asked, at)
    known, first = first_times(keys, times)
    before = happened_before(known, first, asked, at)
    for i in range(300):
        earlier = np.sort(times[(keys == asked[i]) & (times < at[i])])
        assert end[i] - start[i] == len(earlier)
        assert before[i] == (len(earlier) > 0)
        window = past.end(asked[i : i + 1], at[i : i + 1]) - past.end(asked[i : i + 1], at[i : i + 1] - 7)
        assert window[0] == ((keys == asked[i]) & (times < at[i]) & (times >= at[i] - 7)).sum()
        if len(earlier):
            assert (
                past.time_at(end[i : i + 1] - 1)[0] == earlier[-1] and past.time_at(start[i : i + 1])[0] == earlier[0]
            )
            assert times[past.order[end[i] - 1]] == earlier[-1]


def test_too_many_keys_for_the_time_span() -> None:
    with pytest.raises(OverflowError):
        Past(np.array([2**40]), np.array([2**40]))
