"""A real, short calibration; and on devices whose speed is known: what a profile foretells, and the error it states.

Nothing here compares two timings: what estimates are worth on real hardware is what `python -m exfm_core calibrate`
measures and prints.
"""

import functools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from exfm_core.calibrate import command, measure
from exfm_core.calibrate.fit import fit_ratios, largest_ratio
from exfm_core.calibrate.shapes import FITTED, HELD_OUT, Shape
from exfm_core.cost.device import (
    SERVED_BATCHES,
    DeviceProfile,
    MatrixRate,
    latency,
    read_profile,
    serving_terms,
    training_seconds,
    training_terms,
)
from exfm_core.export import measure as export_measure

UNSEEN = Shape("dlrm", 10, 16, (96, 32), 128, history=5)
RATES = tuple(MatrixRate(rows, 2.0 * rows * k * k, k**0.5) for rows in (1, 64, 256) for k in (16, 64, 256, 512))
TRAINING = (0.8, 1.5, 1.2, 0.9, 2.0)
SERVING = (12.0, 2.0, 1.5, 1.1, 0.7, 1.3)
"""True weights of the device that is made up, of every term."""
TAIL = 1.7


def test_a_real_calibration_is_written_and_the_threads_are_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(measure, "TRAINED_ROWS", (500, 2000))
    few = functools.partial(measure.calibrate, fitted=FITTED[1:3], held_out=HELD_OUT[:1])
    monkeypatch.setattr(measure, "calibrate", few)
    out, before = tmp_path / "profile.json", torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert command.main(["--out", str(out), "--seconds", "0.02"]) == 0
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert [path.name for path in tmp_path.iterdir()] == ["profile.json"]
    profile = read_profile(out)
    assert profile.threads == 1 and profile.device == measure.device_name() and profile.load >= 0
    assert len(profile.matrix) == 18 and len({(point.rows, point.flops) for point in profile.matrix}) == 18
    assert min(point.gflops for point in profile.matrix) > 0 and profile.gather_gbs > 0 and profile.update_gbs > 0
    for fit, terms in ((profile.training, len(TRAINING)), (profile.serving, len(SERVING))):
        assert len(fit.weights) == terms and min(fit.weights) >= 0 < max(fit.weights)
        assert fit.error >= measure.LEAST_ERROR and fit.held_out == 2
    assert profile.training.tail == 1 <= profile.serving.tail and profile.serving.tail_error >= measure.LEAST_ERROR
    assert training_seconds(UNSEEN.spec(), UNSEEN.schema(), profile, 2000).value > 0
    assert min(item.p50_us.value for item in latency(UNSEEN.spec(), UNSEEN.schema(), profile)) > 0
    said = capsys.readouterr()
    assert f"off by up to {profile.training.error:.2f}×, of serving by up to {profile.serving.error:.2f}×" in said.out
    assert said.err.count("train Shape(") == said.err.count("serve Shape(") == 6


Slower = Callable[[Shape], float]


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Slower], DeviceProfile]:
    """Return a function that calibrates a device of the true weights, on which a shape takes `slower(shape)` times as
    long as they say, and reads the profile that the command wrote."""

    def calibrated(slower: Slower) -> DeviceProfile:
        def trained(shape: Shape, parts: DeviceProfile, say: object) -> list[measure.Point]:
            of = [training_terms(shape.spec(), shape.schema(), parts, count, 2) for count in measure.TRAINED_ROWS]
            return [(terms, slower(shape) * float(np.dot(TRAINING, terms))) for terms in of]

        def served(shape: Shape, parts: DeviceProfile, *_: object) -> tuple[list[measure.Point], list[float]]:
            of = [serving_terms(shape.spec(), shape.schema(), parts, batch) for batch in SERVED_BATCHES]
            points = [(terms, slower(shape) * float(np.dot(SERVING, terms))) for terms in of]
            return points, [TAIL * slower(shape)] * len(points)

        monkeypatch.setattr(measure, "matrix_rates", lambda seconds: RATES)
        monkeypatch.setattr(measure, "embedding_gbs", lambda seconds: (2.0, 0.5))
        monkeypatch.setattr(measure, "training_points", trained)
        monkeypatch.setattr(measure, "serving_points", served)
        out = tmp_path / "profile.json"
        assert command.main(["--out", str(out)]) == 0
        return read_profile(out)

    return calibrated


def test_estimates_hold_on_an_unseen_model(known: Callable[[Slower], DeviceProfile]) -> None:
    """The fit has seen neither the model nor its number of rows; the device is as the terms say, so the estimate is."""
    profile = known(lambda shape: 1.0)
    spec, schema = UNSEEN.spec(), UNSEEN.schema()
    assert UNSEEN not in (*FITTED, *HELD_OUT)
    for rows in (500, 2000, 100_000):
        true = float(np.dot(TRAINING, training_terms(spec, schema, profile, rows, 2)))
        assert training_seconds(spec, schema, profile, rows).value == pytest.approx(true, rel=1e-6)
    for found in latency(spec, schema, profile):
        true = 1e6 * float(np.dot(SERVING, serving_terms(spec, schema, profile, found.batch)))
        assert found.p50_us.value == pytest.approx(true, rel=1e-6)
        assert found.p99_us.value == pytest.approx(TAIL * true, rel=1e-6)
    for fit in (profile.training, profile.serving):
        assert (fit.error, fit.held_out) == (measure.LEAST_ERROR, 2 * len(HELD_OUT)), "below 10 % nothing is claimed"


@pytest.mark.parametrize(("factors", "largest"), [((1.0, 1.3, 0.5, 1.0, 1.9), 2.0), ((1.0, 1.0, 2.5, 0.5, 1.0), 2.5)])
def test_the_stated_error_is_the_largest_ratio_on_what_was_held_out(
    known: Callable[[Slower], DeviceProfile], factors: tuple[float, ...], largest: float
) -> None:
    """Held-out shapes that take 1.9 times or half the time that the fitted ones promise: the further off counts, up or
    down, and the fit does not learn from them."""
    of = dict(zip(HELD_OUT, factors, strict=True))
    profile = known(lambda shape: of.get(shape, 1.0))
    assert profile.training.weights == pytest.approx(TRAINING) and profile.serving.weights == pytest.approx(SERVING)
    assert (profile.training.error, profile.serving.error) == (largest, largest)
    assert (profile.serving.tail, profile.serving.tail_error) == (TAIL, largest)
    spec, schema = UNSEEN.spec(), UNSEEN.schema()
    found = training_seconds(spec, schema, profile, 2000)
    assert found.error == largest and found.low * largest**2 == pytest.approx(found.high)
    for item in latency(spec, schema, profile):
        assert (item.p50_us.error, item.p99_us.error) == (largest, pytest.approx(largest**2))


class Clock:
    """A clock that stands still but for what a call of `of` takes: the next of `turns`, in seconds, round and round."""

    def __init__(self, turns: Sequence[float]) -> None:
        self.now, self.turns, self.calls = 0.0, turns, 0

    def perf_counter(self) -> float:
        """Return the seconds so far."""
        return self.now

    def of(self, work: Callable[..., Any]) -> Callable[..., Any]:
        """Return `work` as it is, which takes its turn of this clock."""

        def taking(*args: Any, **given: Any) -> Any:
            found = work(*args, **given)
            self.now += self.turns[self.calls % len(self.turns)]
            self.calls += 1
            return found

        return taking


def device() -> DeviceProfile:
    """Return the parts of a device whose models nobody has measured."""
    fit = measure._NOTHING
    return DeviceProfile("a machine", 1, "2026-01-01T00:00:00+00:00", 0.0, RATES, 2.0, 0.5, fit, fit)


def test_the_best_of_four_trainings_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "TRAINED_ROWS", (100, 200))
    clock = Clock([9.0, 3.0, 2.0, 5.0, 8.0, 8.0, 7.0, 4.0])
    monkeypatch.setattr(measure, "time", clock)
    monkeypatch.setattr(measure.VerticalTrainer, "train", clock.of(measure.VerticalTrainer.train))
    points = measure.training_points(FITTED[0], device(), lambda _: None)
    assert [seconds for _, seconds in points] == [2.0, 4.0]
    of = [training_terms(FITTED[0].spec(), FITTED[0].schema(), device(), count, 2) for count in (100, 200)]
    assert [terms for terms, _ in points] == of


def test_the_tail_is_that_of_the_quietest_burst(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each burst is ten calls of warm-up and fifty that count, five of which the neighbours slow down."""
    clock = Clock([t for slow in (20, 1.5, 7) for t in [9.9] * 10 + [1e-3] * 45 + [slow * 1e-3] * 5] * 2)
    monkeypatch.setattr(export_measure, "time", SimpleNamespace(perf_counter=clock.perf_counter))
    timed = type("Timed", (measure.Predictor,), {"run": clock.of(measure.Predictor.run)})
    monkeypatch.setattr(measure, "Predictor", timed)
    points, tails = measure.serving_points(FITTED[0], device(), 1e-9, lambda _: None)
    assert [seconds for _, seconds in points] == pytest.approx([1e-3, 1e-3]) and tails == pytest.approx([1.5, 1.5])
    of = [serving_terms(FITTED[0].spec(), FITTED[0].schema(), device(), batch) for batch in SERVED_BATCHES]
    assert [terms for terms, _ in points] == of


def test_the_threads_are_put_back_where_measuring_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(seconds: float) -> tuple[float, float]:
        assert torch.get_num_threads() == before + 1
        raise OSError("no memory")

    before = torch.get_num_threads()
    monkeypatch.setattr(measure, "embedding_gbs", broken)
    with pytest.raises(OSError, match="no memory"):
        measure.calibrate(threads=before + 1)
    assert torch.get_num_threads() == before


def test_bad_usage_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--threads", "0"], ["--seconds", "0"], ["--wrong"]):
        with pytest.raises(SystemExit) as caught:
            command.main(arguments)
        assert caught.value.code == 2
    assert "--threads" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_refused_before_measuring(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for place in (tmp_path, tmp_path / "none/profile.json"):
        assert command.main(["--out", str(place)]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2 and all(line.startswith(f"calibrate: {tmp_path}") for line in said)
    assert not list(tmp_path.iterdir())


@settings(max_examples=10, deadline=None)
@given(st.lists(st.floats(0.1, 10), min_size=3, max_size=3), st.integers(0, 1000))
def test_the_fit_finds_the_weights_that_made_the_points(weights: list[float], seed: int) -> None:
    terms = np.random.default_rng(seed).uniform(0.1, 10, (12, 3))
    measured = terms @ np.array(weights)
    found = fit_ratios(terms.tolist(), measured.tolist())
    assert largest_ratio(terms @ np.array(found), measured.tolist()) < 1.02


def test_no_weight_is_negative() -> None:
    assert fit_ratios([[1.0, 1.0], [1.0, 2.0], [1.0, 3.0]], [3.0, 2.0, 1.0])[1] == 0.0
    assert json.dumps(fit_ratios([[1.0]], [2.0])) == "[2.0]"
