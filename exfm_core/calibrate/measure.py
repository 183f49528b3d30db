"""A device's profile: its parts' speeds, and models trained and served on it, some fitted and the others foretold."""

import os
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil
import torch

from exfm_core.calibrate.fit import fit_ratios, largest_ratio
from exfm_core.calibrate.kernels import embedding_gbs, matrix_rates
from exfm_core.calibrate.shapes import FITTED, HELD_OUT, Shape, rows
from exfm_core.cost.device import SERVED_BATCHES, DeviceProfile, Fit, serving_terms, training_terms
from exfm_core.export.measure import latency_us, random_columns
from exfm_core.export.onnx_file import export_folder
from exfm_core.export.predictor import Predictor
from exfm_core.export.serving import export_net
from exfm_core.models.vertical import VerticalNet
from exfm_core.train.vertical import VerticalTrainer

LEAST_ERROR: Final = 1.1
"""A stated error is never below 10 %: repeated timings of one shape differ by as much."""
TRAINED_ROWS: Final = (1000, 8000)
_REPEATS: Final = 4
_BURSTS: Final = 3  # the tail of the quietest one is the device's; the others have the neighbours' in it
Say = Callable[[str], None]
Point = tuple[tuple[float, ...], float]
_NOTHING: Final = Fit((), 1.0, 0)


def calibrate(
    *,
    threads: int = 1,
    seconds: float = 0.2,
    fitted: Sequence[Shape] = FITTED,
    held_out: Sequence[Shape] = HELD_OUT,
    say: Say = lambda _: None,
) -> DeviceProfile:
    """Measures this device with `threads` threads of training; serving is measured on one. `seconds`: per timing.

    Raises ExfmError where ONNX Runtime is not installed.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        load = os.getloadavg()[0]
        say("matrix products and embedding rows …")
        gather, update = embedding_gbs(seconds)
        parts = DeviceProfile(
            device_name(), threads, datetime.now(UTC).isoformat(timespec="seconds"), round(load, 2),
            matrix_rates(seconds / 4), gather, update, _NOTHING, _NOTHING,
        )  # fmt: skip
        training = _fit(
            [point for shape in fitted for point in training_points(shape, parts, say)],
            [point for shape in held_out for point in training_points(shape, parts, say)],
        )
        served = [serving_points(shape, parts, seconds, say) for shape in fitted]
        foretold = [serving_points(shape, parts, seconds, say) for shape in held_out]
    finally:
        torch.set_num_threads(before)
    serving = _fit([p for points, _ in served for p in points], [p for points, _ in foretold for p in points])
    tail = float(np.median([tail for _, tails in served for tail in tails]))
    unseen = [tail for _, tails in foretold for tail in tails]
    tail_error = max(LEAST_ERROR, largest_ratio([tail] * len(unseen), unseen))
    serving = Fit(serving.weights, serving.error, serving.held_out, round(tail, 3), round(tail_error, 3))
    return DeviceProfile(
        parts.device, threads, parts.measured_at, parts.load, parts.matrix, gather, update, training, serving
    )


def training_points(shape: Shape, parts: DeviceProfile, say: Say) -> list[Point]:
    """(terms, seconds) of partitions of two sizes, both arms, a teacher for every row; the best of four each."""
    spec, schema = shape.spec(), shape.schema()
    points: list[Point] = []
    trainer = VerticalTrainer(spec, schema, ("control", "treatment"))
    with tempfile.TemporaryDirectory(prefix="exfm-") as folder:
        for count in TRAINED_ROWS:
            path = Path(folder) / f"{count}.parquet"
            path.write_bytes(rows(schema, count))
            logits = np.random.default_rng(0).normal(size=count).astype(np.float32)
            taken = []
            for _ in range(_REPEATS):
                start = time.perf_counter()
                trainer.train(path, count, logits, gate_open=True)
                taken.append(time.perf_counter() - start)
            say(f"train {shape}: {count} rows in {min(taken):.3f} s")
            points.append((training_terms(spec, schema, parts, count, 2), min(taken)))
    return points


def serving_points(shape: Shape, parts: DeviceProfile, seconds: float, say: Say) -> tuple[list[Point], list[float]]:
    """(terms, p50 in seconds) at batch 1 and 64 of the exported graph, and p99 ÷ p50 of each,
    in the quietest of three bursts."""
    spec, schema = shape.spec(), shape.schema()
    points: list[Point] = []
    tails: list[float] = []
    with tempfile.TemporaryDirectory(prefix="exfm-") as folder:
        export_folder(export_net(VerticalNet(spec, schema, "plain"), spec, schema), Path(folder) / "model")
        predictor = Predictor(Path(folder) / "model")
        for batch in SERVED_BATCHES:
            columns: dict[str, Any] = random_columns(predictor.encoder, batch, 3)
            for feature in predictor.encoder.sequences:
                columns[feature.name] = [[1] * feature.max_length] * batch
            arrays = predictor.encoder.encode(columns)
            bursts = [latency_us(lambda: predictor.run(arrays), seconds=seconds) for _ in range(_BURSTS)]  # noqa: B023
            found = min(bursts, key=lambda burst: burst["p99"])
            say(f"serve {shape}: batch {batch} in {found['p50']} µs, p99 {found['p99']} µs")
            points.append((serving_terms(spec, schema, parts, batch), found["p50"] * 1e-6))
            tails.append(found["p99"] / found["p50"])
    return points, tails


def device_name() -> str:
    """Processor as the machine calls it, cores, vector instructions."""
    model = platform.processor() or platform.machine()
    for line in (
        Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    ):
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return f"{model}, {psutil.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}"


def _fit(fitted: Sequence[Point], held_out: Sequence[Point]) -> Fit:
    weights = fit_ratios([terms for terms, _ in fitted], [seconds for _, seconds in fitted])
    estimates = [sum(w * t for w, t in zip(weights, terms, strict=True)) for terms, _ in held_out]
    error = max(LEAST_ERROR, largest_ratio(estimates, [seconds for _, seconds in held_out]))
    return Fit(weights, round(error, 3), len(held_out))
