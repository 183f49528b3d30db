"""A real, short calibration: its estimates hold on a model it has not seen, as far as its stated error says."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exfm_core.calibrate import command, measure
from exfm_core.calibrate.fit import fit_ratios, largest_ratio
from exfm_core.calibrate.shapes import FITTED, HELD_OUT, Shape
from exfm_core.cost.device import latency, read_profile, training_seconds

NOISE = 3.0
"""On top of the stated error: the suite shares its cores, and a timing may be three times off."""


def test_estimates_hold_on_an_unseen_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "TRAINED_ROWS", (500, 2000))
    original = measure.calibrate
    monkeypatch.setattr(
        measure, "calibrate", lambda **given: original(fitted=FITTED[1:3], held_out=HELD_OUT[:1], **given)
    )
    out = tmp_path / "profile.json"
    assert command.main(["--out", str(out), "--seconds", "0.02"]) == 0
    profile = read_profile(out)
    assert profile.threads == 1 and len(profile.matrix) == 18
    assert min(point.gflops for point in profile.matrix) > 0 and profile.gather_gbs > 0 and profile.update_gbs > 0
    assert profile.training.error >= 1.1 and profile.training.held_out == profile.serving.held_out == 2
    assert all(weight >= 0 for weight in (*profile.training.weights, *profile.serving.weights))
    unseen = Shape("dlrm", 10, 16, (96, 32), 128, history=5)
    spec, schema = unseen.spec(), unseen.schema()
    estimates, measured = [], []
    for rows, (_, seconds) in zip((500, 2000), measure.training_points(unseen, profile, lambda _: None), strict=True):
        estimates.append(training_seconds(spec, schema, profile, rows).value)
        measured.append(seconds)
    assert largest_ratio(estimates, measured) <= profile.training.error * NOISE
    points, tails = measure.serving_points(unseen, profile, 0.02, lambda _: None)
    found = latency(spec, schema, profile)
    assert largest_ratio([item.p50_us.value * 1e-6 for item in found], [p50 for _, p50 in points]) <= (
        profile.serving.error * NOISE
    )
    assert all(tail >= 1 for tail in tails) and profile.serving.tail >= 1


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
