"""Estimates from a device profile: plain arithmetic on what was measured, and no torch in it."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from exfm_core.cost.device import (
    DeviceProfile,
    Fit,
    MatrixRate,
    latency,
    matrix_rate,
    read_profile,
    training_seconds,
)
from exfm_core.errors import SpecError
from exfm_core.spec import VerticalSpec
from tests.exfm_core.train.driver import REPOSITORY
from tests.exfm_core.train.factories import schema, vertical

PROFILE = DeviceProfile(
    "a machine",
    1,
    "2026-01-01T00:00:00+00:00",
    0.5,
    (MatrixRate(1, 1e3, 1.0), MatrixRate(1, 1e5, 3.0), MatrixRate(64, 1e5, 10.0), MatrixRate(64, 1e7, 50.0)),
    gather_gbs=4.0,
    update_gbs=1.0,
    training=Fit((1.0, 0.2, 1.5, 0.7, 30.0), 1.5, 6),
    serving=Fit((9.0, 0.5, 0.7, 0.7, 0.7, 1.0), 1.4, 6, tail=2.0, tail_error=1.5),
)


def wider(spec: VerticalSpec) -> VerticalSpec:
    return dataclasses.replace(spec, model=dataclasses.replace(spec.model, mlp=(2048, 512)))


def test_a_larger_model_batch_or_partition_takes_longer() -> None:
    spec = vertical()
    one, many = latency(spec, schema(), PROFILE)
    assert (one.batch, many.batch) == (1, 64)
    assert 9.0 < one.p50_us.value < many.p50_us.value
    assert one.p99_us.value == pytest.approx(2 * one.p50_us.value)
    assert one.p99_us.error == pytest.approx(1.4 * 1.5)
    assert one.p50_us.low == pytest.approx(one.p50_us.value / 1.4) and one.p50_us.high > one.p50_us.value
    assert latency(wider(spec), schema(), PROFILE)[1].p50_us.value > 2 * many.p50_us.value
    small, large = (training_seconds(spec, schema(), PROFILE, rows) for rows in (1000, 10_000))
    assert 9 < large.value / small.value < 11
    assert training_seconds(wider(spec), schema(), PROFILE, 1000).value > 2 * small.value
    alone = training_seconds(spec, schema(), PROFILE, 1000, arms=1).value
    assert small.value / 2 < alone < small.value


@pytest.mark.parametrize(
    ("rows", "flops", "rate"),
    [(1, 1.0, 1.0), (1, 1e4, 2.0), (1, 1e9, 3.0), (63, 1e5, 3.0), (64, 1e6, 30.0), (4096, 1e9, 50.0)],
)
def test_rates_are_interpolated_between_measured_sizes(rows: int, flops: float, rate: float) -> None:
    assert matrix_rate(PROFILE, rows, flops) == pytest.approx(rate)


def test_a_profile_survives_its_file_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    path.write_text(json.dumps(PROFILE.to_json()))
    assert read_profile(path) == PROFILE
    for text in ("{", "{}", json.dumps(PROFILE.to_json() | {"format": 2})):
        path.write_text(text)
        with pytest.raises(SpecError):
            read_profile(path)


def test_estimating_needs_no_torch() -> None:
    """The platform asks at registration, in a process that never loads torch."""
    program = "import sys, exfm_core.cost.device, exfm_core.cost.memory; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=REPOSITORY)
