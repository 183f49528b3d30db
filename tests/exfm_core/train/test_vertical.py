"""The trainer of a vertical model: what it measures is what it did."""

from pathlib import Path

import numpy as np
import pytest

from exfm_core.errors import DataError
from exfm_core.metrics.auc import exact_auc
from exfm_core.metrics.sums import BucketSums
from exfm_core.spec import Supervision
from exfm_core.train.measure import Ledger
from exfm_core.train.vertical import VerticalTrainer
from tests.exfm_core.train.factories import partition, rows, schema, vertical

ARMS = ("control", "treatment")


def labels(count: int) -> np.ndarray:
    found = np.random.default_rng(0).normal(size=count).astype(np.float32)
    found[::4] = np.nan
    return found


def test_progressive_evaluation_is_prediction_before_training(tmp_path: Path) -> None:
    """Against a loop by hand: predict a batch with the plain forward, then train on it."""
    part = partition(tmp_path, 300, 1)
    path = tmp_path / part.file.uri
    kept: list[Ledger] = []
    outcome = VerticalTrainer(vertical(), schema(), ARMS).train(path, 300, labels(300), True, kept.append)
    ledger = kept[-1]
    truth = rows(300, 1)["click"].to_numpy()
    assert np.array_equal(ledger.labels, truth)
    for arm in ARMS:
        z = ledger.logits[arm]
        expected = BucketSums.of(ledger.buckets, truth, z)
        assert np.array_equal(outcome.arms[arm].all.loss, expected.loss)
        assert outcome.arms[arm].auc == exact_auc(z, truth)
    untouched = VerticalTrainer(vertical(), schema(), ARMS)
    first: list[np.ndarray] = []
    untouched.train(path, 300, None, True, lambda book: first.append(book.logits["control"][:64].copy()))
    assert np.array_equal(first[0], ledger.logits["control"][:64])


def test_no_arm_disturbs_another(tmp_path: Path) -> None:
    part = partition(tmp_path, 300, 1)
    path = tmp_path / part.file.uri
    both = VerticalTrainer(vertical(), schema(), ARMS).train(path, 300, labels(300), True)
    for arm in ARMS:
        alone = VerticalTrainer(vertical(), schema(), (arm,)).train(path, 300, labels(300), True)
        assert np.array_equal(alone.arms[arm].all.loss, both.arms[arm].all.loss)


def test_without_labels_treatment_is_control(tmp_path: Path) -> None:
    part = partition(tmp_path, 300, 1)
    outcome = VerticalTrainer(vertical(), schema(), ARMS).train(tmp_path / part.file.uri, 300, None, True)
    assert np.array_equal(outcome.arms["control"].all.loss, outcome.arms["treatment"].all.loss)
    assert (outcome.covered, outcome.label) == (0, None)
    assert outcome.arms["treatment"].covered.rows == 0


def test_a_shut_gate_makes_treatment_a_control_but_goes_on_measuring_the_label(tmp_path: Path) -> None:
    part = partition(tmp_path, 300, 1)
    path = tmp_path / part.file.uri
    shut = VerticalTrainer(vertical(), schema(), ARMS).train(path, 300, labels(300), gate_open=False)
    assert np.array_equal(shut.arms["control"].all.loss, shut.arms["treatment"].all.loss)
    assert shut.label is not None
    assert (shut.covered, shut.label.rows) == (225, 225)


def test_clipped_rows_are_counted(tmp_path: Path) -> None:
    part = partition(tmp_path, 300, 1)
    spec = vertical(Supervision("custom", alpha=2.5))
    teacher = labels(300)
    outcome = VerticalTrainer(spec, schema(), ARMS).train(tmp_path / part.file.uri, 300, teacher, True)
    with np.errstate(invalid="ignore"):
        assert outcome.clipped == int((2.5 / (1 + np.exp(-teacher)) > 1).sum())


def test_seconds_are_accounted_for(tmp_path: Path) -> None:
    part = partition(tmp_path, 3000, 1)
    seconds = VerticalTrainer(vertical(), schema(), ARMS).train(tmp_path / part.file.uri, 3000, None, True).seconds
    assert 0 < seconds["read"] + seconds["control"] + seconds["treatment"] <= seconds["total"]


@pytest.mark.parametrize("claimed", [299, 301])
def test_another_number_of_rows_is_refused(tmp_path: Path, claimed: int) -> None:
    part = partition(tmp_path, 300, 1)
    with pytest.raises(DataError, match="sealed with"):
        VerticalTrainer(vertical(), schema(), ARMS).train(tmp_path / part.file.uri, claimed, None, True)


def test_labels_of_another_length_are_refused(tmp_path: Path) -> None:
    part = partition(tmp_path, 300, 1)
    with pytest.raises(DataError, match="299 rows"):
        VerticalTrainer(vertical(), schema(), ARMS).train(tmp_path / part.file.uri, 300, labels(299), True)


def test_divergence_is_an_error_not_a_number(tmp_path: Path) -> None:
    part = partition(tmp_path, 300, 1)
    built = VerticalTrainer(vertical(), schema(), ARMS)
    for weight in built.students["control"].net.serving.parameters():
        weight.data.fill_(float("nan"))
    with pytest.raises(DataError) as caught:
        built.train(tmp_path / part.file.uri, 300, None, True)
    assert caught.value.code == "train.diverged"
