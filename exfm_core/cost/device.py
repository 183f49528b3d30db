"""What a spec will take on a measured device: seconds per training partition, latency of serving. Torch-free.

`python -m exfm_core calibrate` measures a device and writes its profile: rates of matrix products and of embedding
rows, and how they, the calls and the rows add up to the time of a training partition or of a request. The profile's
errors come from shapes that the fit has not seen: an estimate t with error e says "between t / e and t · e".
"""

from __future__ import annotations

import bisect
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from exfm_core.cost.serving import serving_cost
from exfm_core.errors import SpecError
from exfm_core.spec import StreamSchema, VerticalModel, VerticalSpec
from exfm_core.spec.record import Record

FORMAT: Final = 1
SERVED_BATCHES = (1, 64)
SERVING_PARTS = ("the call", "operators", "matrix products", "embedding rows", "element-wise work", "pairwise dots")
"""What `serving_terms` counts, in its order."""
ID_BYTES = 8
FLOAT_BYTES = 4
BACKWARD = 3
"""A training step's matrix work against a forward pass: outputs, gradients of inputs and of weights."""


@dataclass(frozen=True, slots=True)
class MatrixRate(Record):
    """Speed of a product [rows, k] × [k, m] of `flops` operations."""

    rows: int
    flops: float
    gflops: float


@dataclass(frozen=True, slots=True)
class Fit(Record):
    """Weights of the terms of `training_terms` or `serving_terms`, and the largest ratio between estimate and
    measurement on shapes that were held out of the fit. `tail`: p99 ÷ p50 (serving), 1 for training."""

    weights: tuple[float, ...]
    error: float
    held_out: int
    tail: float = 1.0
    tail_error: float = 1.0


@dataclass(frozen=True, slots=True)
class DeviceProfile(Record):
    """A device as measured. `gather_gbs`, `update_gbs`: embedding rows read, and rows updated by Adagrad, in GB/s."""

    device: str
    threads: int
    measured_at: str
    load: float
    matrix: tuple[MatrixRate, ...]
    gather_gbs: float
    update_gbs: float
    training: Fit
    serving: Fit
    format: Literal[1] = FORMAT


@dataclass(frozen=True, slots=True)
class Estimate:
    """`value` is off by a factor of `error` at most, as far as the held-out shapes tell."""

    value: float
    error: float

    @property
    def low(self) -> float:
        """value ÷ error."""
        return self.value / self.error

    @property
    def high(self) -> float:
        """value · error."""
        return self.value * self.error


@dataclass(frozen=True, slots=True)
class Latency:
    """Of the exported graph on one thread, in microseconds; encoding the request is the server's own."""

    batch: int
    p50_us: Estimate
    p99_us: Estimate


def read_profile(path: str | Path) -> DeviceProfile:
    """Reads a profile. Raises SpecError if it is none."""
    try:
        body = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SpecError("profile.unreadable", f"{path} is no device profile: {error}.", "Calibrate anew.") from error
    return DeviceProfile.from_json(body)


def latency(spec: VerticalSpec, schema: StreamSchema, profile: DeviceProfile) -> tuple[Latency, ...]:
    """Latency at batch 1 and 64, for the check at registration; the export measures it."""
    fit, found = profile.serving, []
    for batch in SERVED_BATCHES:
        p50 = 1e6 * _dot(fit, serving_terms(spec, schema, profile, batch))
        tail = Estimate(p50 * fit.tail, fit.error * fit.tail_error)
        found.append(Latency(batch, Estimate(p50, fit.error), tail))
    return tuple(found)


def serving_parts(spec: VerticalSpec, schema: StreamSchema, profile: DeviceProfile, batch: int) -> dict[str, float]:
    """Microseconds of the estimated median by part, the largest first; a profile without weight for a part leaves it
    at 0."""
    terms = serving_terms(spec, schema, profile, batch)
    found = {
        name: 1e6 * weight * term
        for name, weight, term in zip(SERVING_PARTS, profile.serving.weights, terms, strict=True)
    }
    return dict(sorted(found.items(), key=lambda part: -part[1]))


def training_seconds(
    spec: VerticalSpec, schema: StreamSchema, profile: DeviceProfile, rows: int, *, arms: int = 2
) -> Estimate:
    """Seconds to predict and train `arms` arms on a partition of `rows` rows, its reading included."""
    return Estimate(_dot(profile.training, training_terms(spec, schema, profile, rows, arms)), profile.training.error)


def serving_terms(
    spec: VerticalSpec, schema: StreamSchema, profile: DeviceProfile, batch: int
) -> tuple[float, float, float, float, float, float]:
    """What a request of `batch` rows consists of: a call and its operators (microseconds each, to be scaled), seconds
    of matrix products at the measured rate, of gathered rows, of element-wise work, and of DLRM's dots: many products
    so small that they cost a nanosecond or so a pair, whatever their length."""
    cost, layers, pairs = serving_cost(spec, schema), _layers(spec.model), _pairs(spec, schema)
    dots = 2 * pairs * spec.model.embedding_dim
    ids = _ids(spec, schema) * batch
    gathered = ids * spec.model.embedding_dim * FLOAT_BYTES / (profile.gather_gbs * 1e9)
    products = _matrix_seconds(profile, batch, batch * (cost.matrix_flops - dots), layers)
    operators = layers + _attention_operators(spec, schema)
    return 1e-6, operators * 1e-6, products, gathered, batch * cost.elementwise_flops * 1e-9, batch * pairs * 1e-9


def training_terms(
    spec: VerticalSpec, schema: StreamSchema, profile: DeviceProfile, rows: int, arms: int
) -> tuple[float, float, float, float, float]:
    """What a partition consists of: steps, their layers, matrix products, embedding rows, and rows read."""
    cost, layers = serving_cost(spec, schema), _layers(spec.model)
    levers, batch = spec.supervision, spec.optimizer.batch_size
    width = spec.model.mlp[-1]
    teacher = len(spec.model.tasks) * 4 * width * levers.aux_width if arms > 1 else 0
    steps = math.ceil(rows / batch)
    flops = BACKWARD * rows * (arms * cost.matrix_flops + (arms - 1) * teacher)
    products = _matrix_seconds(profile, batch, flops / max(1, steps * arms), layers * BACKWARD) * steps * arms
    row_bytes = arms * rows * _ids(spec, schema) * spec.model.embedding_dim * FLOAT_BYTES
    tables = row_bytes / (profile.gather_gbs * 1e9) + row_bytes / (profile.update_gbs * 1e9)
    read = rows * ID_BYTES * (_ids(spec, schema) + len(spec.model.features)) * 1e-9
    return steps * arms * 1e-3, steps * arms * layers * 1e-4, products, tables, read


def matrix_rate(profile: DeviceProfile, rows: int, flops: float) -> float:
    """GFLOP/s of a product of that size: the nearest measured number of rows from below, between the measured sizes
    interpolated on the logarithm of the operations."""
    held = [point.rows for point in profile.matrix if point.rows <= rows] or [min(p.rows for p in profile.matrix)]
    points = sorted((p for p in profile.matrix if p.rows == max(held)), key=lambda point: point.flops)
    at = bisect.bisect_left([point.flops for point in points], flops)
    if at in (0, len(points)):
        return points[min(at, len(points) - 1)].gflops
    a, b = points[at - 1], points[at]
    share = (math.log(flops) - math.log(a.flops)) / (math.log(b.flops) - math.log(a.flops))
    return a.gflops + share * (b.gflops - a.gflops)


def _matrix_seconds(profile: DeviceProfile, rows: int, flops: float, products: int) -> float:
    """Seconds of `flops` operations that come as `products` products of equal size."""
    each = max(1.0, flops / products)
    return flops / (matrix_rate(profile, rows, each) * 1e9)


def _layers(model: VerticalModel) -> int:
    """Matrix products of a forward pass."""
    experts = model.experts if model.backbone == "mmoe" else 1
    crossed = model.cross_layers if model.backbone == "dcnv2" else 1
    return len(model.mlp) * experts + crossed + 2 * len(model.tasks) + 2 * len(model.attention)


def _attention_operators(spec: VerticalSpec, schema: StreamSchema) -> int:
    """Small operators that DIN adds to a request: every feature's vector is cut out, and ten or so weigh a sequence."""
    if not spec.model.attention:
        return 0
    return sum(feature.sparse for feature in spec.model.resolve(schema)) + 10 * len(spec.model.attention)


def _pairs(spec: VerticalSpec, schema: StreamSchema) -> int:
    """Pairs of vectors whose dot DLRM takes, as its matrix product computes them: each with each."""
    if spec.model.backbone != "dlrm":
        return 0
    features = spec.model.resolve(schema)
    vectors = sum(feature.sparse for feature in features) + any(not feature.sparse for feature in features)
    return vectors * vectors


def _ids(spec: VerticalSpec, schema: StreamSchema) -> int:
    """Embedding rows that one row looks up, sequences at their full length."""
    return sum(max(1, feature.max_length) for feature in spec.model.resolve(schema) if feature.sparse)


def _dot(fit: Fit, terms: tuple[float, ...]) -> float:
    return sum(weight * term for weight, term in zip(fit.weights, terms, strict=True))
