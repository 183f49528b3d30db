"""Exact serving cost of a vertical model from its specification alone: no model is built, torch is not imported.

Auxiliary heads and the student adapter are never served and never counted. FLOPs are those of matrix products, two per
multiply-add, as `torch.utils.flop_counter` counts them; look-ups, pooling and elementwise work count as zero.
"""

from dataclasses import dataclass
from itertools import pairwise

from exfm_core.spec import StreamSchema, VerticalSpec


@dataclass(frozen=True)
class Cost:
    """Parameters (numbers stored) and FLOPs (per row) of a part; parts add up."""

    parameters: int = 0
    flops: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.parameters + other.parameters, self.flops + other.flops)


def linear(a: int, b: int) -> Cost:
    """A dense layer from `a` to `b` numbers, with bias."""
    return Cost(a * b + b, 2 * a * b)


def mlp(first: int, widths: tuple[int, ...]) -> Cost:
    """Dense layers one after the other."""
    return sum((linear(a, b) for a, b in pairwise((first, *widths))), Cost())


def serving_cost(spec: VerticalSpec, schema: StreamSchema) -> Cost:
    """Return the cost of tables, backbone and serving head; SpecError if the spec does not fit the schema."""
    model = spec.model
    features = model.resolve(schema)
    sparse = [feature for feature in features if feature.sparse]
    dense = len(features) - len(sparse)
    dim = model.embedding_dim
    tables = Cost(sum(feature.buckets for feature in sparse) * dim)
    flat = len(sparse) * dim + dense
    if model.backbone == "dcnv2":
        crosses = sum((linear(flat, flat) for _ in range(model.cross_layers)), Cost())
        backbone, width = crosses + mlp(flat, model.mlp), model.mlp[-1]
    elif model.backbone == "deepfm":
        backbone, width = mlp(flat, model.mlp), model.mlp[-1] + dim
    else:
        vectors = len(sparse) + (dense > 0)
        bottom = linear(dense, dim) if dense else Cost()
        dots = Cost(0, 2 * vectors * vectors * dim)
        pairs = vectors * (vectors - 1) // 2 + (dim if dense else 0)
        backbone, width = bottom + dots + mlp(pairs, model.mlp), model.mlp[-1]
    head = mlp(width, (model.head_width, 1))
    return tables + backbone + head


def serving_parameters(spec: VerticalSpec, schema: StreamSchema) -> int:
    """Return how many numbers the served model holds."""
    return serving_cost(spec, schema).parameters


def serving_flops(spec: VerticalSpec, schema: StreamSchema) -> int:
    """Return the floating-point operations of serving one row."""
    return serving_cost(spec, schema).flops
