"""The label gate: shut for a cold teacher, opens when it beats the control, hysteresis for strong."""

import numpy as np

from exfm_core.metrics.label_gate import GateHistory, RawLabel, label_gate
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


BASE = 0.5 / (-(0.2 * np.log(0.2) + 0.8 * np.log(0.8)))
"""NE of the control in `walk`: about 0.9992."""


def test_safe_stays_open_while_the_label_knows_something() -> None:
    """Worse than the control, but better than the base rate: measured, its auxiliary head still helps."""
    history = GateHistory((1000.0,) * 4, (480.0,) * 4, (400.0,) * 4, True, True, (200.0,) * 4)
    assert history.ratio == 1.2
    assert label_gate(history, SAFE)
    assert not label_gate(history, STRONG)


def test_safe_shuts_when_the_label_knows_nothing_and_opens_again() -> None:
    assert walk([0.9, 1.5, 1.5, 1.5, 1.5, 1.5], SAFE) == [False, True, True, True, False, False, False]
    assert walk([0.9, 1.01, 1.01, 1.01, 1.01, 0.7], SAFE) == [False, True, True, True, True, False, True]


def test_without_positives_safe_stays_open_once_passed() -> None:
    assert label_gate(GateHistory((1000.0,) * 4, (900.0,) * 4, (500.0,) * 4, True, True), SAFE)


def test_a_first_partition_is_opened_by_the_raw_label() -> None:
    good, rough, poor = RawLabel(0.9, 500, 1.1), RawLabel(0.9, 500, 1.5), RawLabel(0.99, 500, 1.0)
    for raw, safe, strong in ((good, True, True), (rough, True, False), (poor, False, False), (None, False, False)):
        assert label_gate(GateHistory(), SAFE, raw) is safe
        assert label_gate(GateHistory(), STRONG, raw) is strong
    assert not label_gate(GateHistory(), SAFE, RawLabel(0.9, 100, 1.0))
    worse = GateHistory((1000.0,), (1.2,), (1.0,), positives=(200.0,))
    assert not label_gate(worse, SAFE, good)
    assert not label_gate(worse, STRONG, good)


def test_a_snapshot_that_regressed_on_the_tenant_teaches_it_nothing() -> None:
    passed = GateHistory((1000.0,), (0.8,), (1.0,), True, True, (200.0,))
    for supervision in (SAFE, STRONG):
        assert label_gate(passed, supervision)
        assert not label_gate(passed, supervision, RawLabel(0.9, 500, 1.0, regressed=True))


def test_the_raw_label_is_read_from_its_sums() -> None:
    raw = RawLabel.of(sums(0.4))
    assert raw.rows == 1000
    assert raw.calibrated
    assert raw.good
    assert not RawLabel.of(None).good


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


def test_a_label_that_beats_only_a_cold_control_opens_nothing() -> None:
    """A calibrated constant has the base rate's NE; a control that has just begun may be worse than that."""
    history = GateHistory().after(False, sums(1.001 * 0.5 / BASE), sums(1.2 * 0.5 / BASE))
    assert history.ratio is not None and history.ratio < 0.9 and history.label_ne is not None
    assert not label_gate(history, STRONG) and not label_gate(history, SAFE)
    better = GateHistory().after(False, sums(0.97 * 0.5 / BASE), sums(1.2 * 0.5 / BASE))
    assert label_gate(better, STRONG) and label_gate(better, SAFE)
