"""The label gate: shut for a cold teacher, opens when it beats the control, hysteresis for strong."""

import numpy as np

from exfm_core.metrics.label_gate import GateHistory, label_gate
from exfm_core.metrics.sums import BucketSums
from exfm_core.spec import Supervision

SAFE, STRONG = Supervision("safe"), Supervision("strong")


def sums(loss: float, rows: int = 1000) -> BucketSums:
    """`rows` rows with that mean loss, all in one bucket."""
    first = np.zeros(256)
    first[0] = 1.0
    return BucketSums(first * rows, first * rows * 0.2, first * rows * loss, first * rows * 0.2)


def walk(ratios: list[float], supervision: Supervision, rows: int = 1000) -> list[bool]:
    """The gate's decision before each partition; on partition i the label's loss is ratios[i] × the control's."""
    history, decisions = GateHistory(), []
    for ratio in ratios:
        is_open = label_gate(history, supervision)
        decisions.append(is_open)
        history = history.after(is_open, sums(0.5 * ratio, rows), sums(0.5, rows))
    return [*decisions, label_gate(history, supervision)]


def test_nothing_is_known_at_first() -> None:
    assert walk([], SAFE) == walk([], STRONG) == [False]


def test_a_cold_teacher_is_kept_out_until_it_beats_the_control() -> None:
    assert walk([1.2, 1.1, 0.5], SAFE) == walk([1.2, 1.1, 0.5], STRONG) == [False, False, False, True]


def test_safe_stays_open_once_passed() -> None:
    assert walk([0.9, 1.5, 1.5, 1.5, 1.5, 1.5], SAFE) == [False] + [True] * 6


def test_strong_shuts_again_with_hysteresis() -> None:
    assert walk([0.9, 1.02, 1.1, 1.1, 1.1], STRONG) == [False, True, True, True, False, False]
    assert walk([1.005] * 4, STRONG) == [False] * 5
    assert walk([0.99, 1.005, 1.005, 1.005, 1.005], STRONG)[-1] is True


def test_few_rows_decide_nothing() -> None:
    assert walk([0.5], STRONG, rows=100) == [False, False]
    assert walk([0.5, 0.5], STRONG, rows=100) == [False, False, True]


def test_partitions_without_labels_are_no_evidence() -> None:
    history = GateHistory().after(False, sums(0.4), sums(0.5)).after(True, None, sums(0.5))
    assert history.ratio is not None
    assert label_gate(history, STRONG)
