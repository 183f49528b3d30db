"""Ids to rows without collisions: against a map written out id by id, over ids that join and leave."""

from collections.abc import Iterator

import numpy as np
import pytest

from exfm_core.data.idmap import NO_ROW, IdMap, initial_rows
from exfm_core.errors import CheckpointError, DataError


class Plain:
    """The definition, one id at a time."""

    def __init__(self, capacity: int) -> None:
        self.capacity, self.row, self.used, self.clock = capacity, {}, {}, 0

    def admit(self, ids: list[int]) -> list[int]:
        self.clock += 1
        for known in {*ids} & {*self.row}:
            self.used[known] = self.clock
        for new in sorted({*ids} - {*self.row}):
            if len(self.row) < self.capacity:
                place = len(self.row)
            else:
                idle = [old for old in self.row if self.used[old] < self.clock]
                if not idle:
                    continue
                victim = min(idle, key=lambda old: (self.used[old], self.row[old]))
                place = self.row.pop(victim)
            self.row[new], self.used[new] = place, self.clock
        return [self.row.get(one, NO_ROW) for one in ids]


def batches(count: int, size: int, seed: int = 0) -> Iterator[np.ndarray]:
    """Ids of a population of which a part leaves and joins from batch to batch; old ones come back now and then."""
    rng = np.random.default_rng(seed)
    for turn in range(count):
        live = rng.integers(turn * 3, turn * 3 + 40, size)
        live[rng.random(size) < 0.1] = rng.integers(0, turn * 3 + 1)
        yield live * 1_000_003 + 7


@pytest.mark.parametrize("capacity", [5, 31, 64, 400])
def test_equals_the_definition_id_by_id(capacity: int) -> None:
    known, plain = IdMap(capacity), Plain(capacity)
    for ids in batches(300, 24, seed=capacity):
        rows, fresh = known.admit(ids)
        before = dict(plain.row)
        assert rows.tolist() == plain.admit(ids.tolist())
        assert sorted(fresh.tolist()) == sorted(row for one, row in plain.row.items() if before.get(one) != row)
        assert known.look_up(ids).tolist() == rows.tolist()
    assert len(known) == len(plain.row) == min(capacity, len(plain.row))


def test_a_row_that_the_batch_needs_is_never_taken_from_it() -> None:
    known = IdMap(4)
    known.admit(np.array([1, 2, 3, 4]))
    rows, fresh = known.admit(np.array([9, 1, 8, 4, 1]))
    assert rows[[1, 3, 4]].tolist() == [0, 3, 0]
    assert sorted(rows[[0, 2]].tolist()) == sorted(fresh.tolist()) == [1, 2]


def test_a_batch_of_more_ids_than_rows_leaves_the_greatest_out() -> None:
    rows, fresh = IdMap(3).admit(np.array([50, 10, 40, 20, 30, 10]))
    assert rows.tolist() == [NO_ROW, 0, NO_ROW, 1, 2, 0]
    assert fresh.tolist() == [0, 1, 2]


def test_no_two_ids_share_a_row() -> None:
    known = IdMap(1000)
    for ids in batches(400, 200):
        rows, _ = known.admit(ids)
        distinct = np.unique(ids)
        assert len(np.unique(known.look_up(distinct))) == len(distinct)
        assert (rows >= 0).all()


def test_resumed_half_way_it_goes_on_alike() -> None:
    whole, half = IdMap(37), IdMap(37)
    stream = list(batches(200, 16))
    for ids in stream[:100]:
        whole.admit(ids)
        half.admit(ids)
    resumed = IdMap(37)
    resumed.load(half.state())
    for ids in stream[100:]:
        assert [part.tolist() for part in resumed.admit(ids)] == [part.tolist() for part in whole.admit(ids)]
    assert all(np.array_equal(resumed.state()[name], values) for name, values in whole.state().items())


def test_what_only_looks_up_needs_the_ids_alone() -> None:
    known, other = IdMap(50), IdMap(50)
    known.admit(np.arange(100, 130))
    other.load({"ids": known.state()["ids"]})
    assert np.array_equal(other.look_up(np.arange(90, 140)), known.look_up(np.arange(90, 140)))


@pytest.mark.parametrize("ids", [np.full(4, -1), np.array([3, 3, -1]), np.array([-1, 4, 5])])
def test_a_state_that_does_not_fit_is_refused(ids: np.ndarray) -> None:
    with pytest.raises(CheckpointError):
        IdMap(3).load({"ids": ids})


def test_an_id_below_zero_is_refused() -> None:
    with pytest.raises(DataError, match="-4"):
        IdMap(3).admit(np.array([1, -4]))


def test_initial_rows_are_a_function_of_the_id() -> None:
    ids = np.arange(20_000)
    rows = initial_rows(ids, 8, 3, "user", 0.01)
    assert rows.shape == (20_000, 8) and rows.dtype == np.float32
    assert np.array_equal(initial_rows(ids[::-1], 8, 3, "user", 0.01), rows[::-1])
    assert abs(rows.mean()) < 1e-4 and abs(rows.std() - 0.01) < 1e-4
    assert abs(np.corrcoef(rows.T) - np.eye(8)).max() < 0.03
    for other in (initial_rows(ids, 8, 4, "user", 0.01), initial_rows(ids, 8, 3, "item", 0.01)):
        assert abs(np.corrcoef(rows[:, 0], other[:, 0])[0, 1]) < 0.03
