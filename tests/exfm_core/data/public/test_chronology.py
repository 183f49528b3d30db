"""Partitions of a raw log: in order, on one grid, ties together, whatever the order and size of the pieces read."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest

from exfm_core.data.partitions import TIME_TYPE
from exfm_core.data.public.chronology import Partition, cut, sort_and_cut
from exfm_core.errors import DataError

from .raw import column


def table(times: np.ndarray) -> pa.Table:
    """Rows at these seconds, numbered."""
    return pa.table({"event_time": pa.array(times * 1_000_000).cast(TIME_TYPE), "row": np.arange(len(times))})


def pieces(whole: pa.Table, size: int) -> Iterator[pa.Table]:
    for start in range(0, whole.num_rows, size):
        yield whole.slice(start, size)


def log(rows: int = 5000) -> pa.Table:
    """Few distinct times, so that most rows are tied, with empty intervals between."""
    times = np.sort(np.random.default_rng(0).integers(0, 400, rows)) * 7 + 1_500_000_000
    return table(np.where(times > 1_500_001_000, times + 7200, times))


def check(partitions: list[Partition], rows: int, seconds: int) -> None:
    assert sum(part.num_rows for _, _, part in partitions) == rows
    for start, end, part in partitions:
        times = column(part, "event_time").astype("datetime64[us]").astype(np.int64)
        assert (end - start).total_seconds() == seconds and start.timestamp() % seconds == 0
        assert start.timestamp() * 1e6 <= times[0] and times[-1] < end.timestamp() * 1e6
        assert (np.diff(times) >= 0).all()


@pytest.mark.parametrize("size", [1, 97, 10_000])
@pytest.mark.parametrize("seconds", [60, 900])
def test_a_sorted_log(size: int, seconds: int) -> None:
    whole = log(500 if size == 1 else 5000)
    partitions = list(cut(pieces(whole, size), seconds))
    check(partitions, whole.num_rows, seconds)
    assert pa.concat_tables([part for _, _, part in partitions]).equals(whole)


@pytest.mark.parametrize("size", [1, 97, 10_000])
def test_a_shuffled_log_becomes_the_sorted_one(size: int) -> None:
    whole = log(500 if size == 1 else 5000)
    shuffled = whole.take(np.random.default_rng(1).permutation(whole.num_rows))
    partitions = list(sort_and_cut(pieces(shuffled, size), 60, by=("row",)))
    check(partitions, whole.num_rows, 60)
    assert [part for _, _, part in partitions] == [part for _, _, part in cut([whole], 60)]


def test_without_more_columns_to_sort_by_ties_stay_as_read() -> None:
    whole = table(np.array([5, 3, 5, 3, 5]))
    ((_, _, part),) = sort_and_cut(pieces(whole, 2), 60)
    assert part.column("row").to_pylist() == [1, 3, 0, 2, 4]


def test_a_log_that_goes_back_is_refused_by_row() -> None:
    whole = table(np.array([1, 2, 3, 5, 4]))
    with pytest.raises(DataError, match="Row 4 of the log") as caught:
        list(cut(pieces(whole, 2), 60))
    assert caught.value.code == "public.not_sorted" and caught.value.mend


@pytest.mark.parametrize("maker", [cut, sort_and_cut])
def test_length_and_empty_logs(maker: object) -> None:
    assert list(maker([], 60)) == []  # type: ignore[operator]
    assert list(maker([table(np.array([], np.int64))], 60)) == []  # type: ignore[operator]
    with pytest.raises(DataError, match="0 s long"):
        list(maker([], 0))  # type: ignore[operator]
