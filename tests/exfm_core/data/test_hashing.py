"""Hashes are fixed for ever: stored sums and held-back users depend on them."""

import numpy as np

from exfm_core.data import hashing


def splitmix64_by_hand(x: int) -> int:
    mask = 2**64 - 1
    z = (x + 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return z ^ (z >> 31)


def test_splitmix64_agrees_with_python_integers_and_the_published_first_output() -> None:
    ids = np.array([0, 1, 2, 2**31, 2**62, 2**63 - 1], dtype=np.int64)
    assert [int(v) for v in hashing.splitmix64(ids)] == [splitmix64_by_hand(int(i)) for i in ids]
    assert int(hashing.splitmix64(np.array([0]))[0]) == 0xE220A8397B1DCDAF


def test_rows_stay_in_the_table_and_unhashed_ids_pass() -> None:
    ids = np.arange(1000, dtype=np.int64)
    rows = hashing.embedding_rows(ids, 37, True)
    assert rows.dtype == np.int64 and rows.min() >= 0 and rows.max() < 37
    assert hashing.embedding_rows(ids, 1000, False) is ids


def test_held_back_users_are_two_percent_and_independent_of_buckets() -> None:
    keys = np.arange(200_000, dtype=np.int64)
    held = hashing.held_back(keys)
    assert abs(held.mean() - 0.02) < 0.002
    buckets = hashing.user_buckets(keys)
    assert len(np.unique(buckets[held])) == hashing.USER_BUCKETS
    assert buckets.min() == 0 and buckets.max() == 255


def test_time_buckets_hold_a_quarter_of_an_hour_together() -> None:
    quarter = 15 * 60 * 1_000_000
    times = np.array([0, quarter - 1, quarter], dtype=np.int64)
    first, second, third = hashing.time_buckets(times)
    assert first == second != third
