"""Work of every backbone over its vectors and dense features, term by term as ``exfm_core.models`` builds it."""

from __future__ import annotations

from exfm_core.cost.shapes import SOFTMAX, BackboneCost, Work, layer_norm, linear, mlp
from exfm_core.spec import FoundationModel, VerticalModel


def backbone_cost(model: VerticalModel | FoundationModel, fields: int, dense: int) -> BackboneCost:
    """Cost of a model's backbone over ``fields`` vectors and ``dense`` dense features."""
    inputs, widths = fields * model.embedding_dim + dense, model.mlp
    if isinstance(model, VerticalModel) and model.backbone == "mmoe":
        return BackboneCost(_mixture(inputs, widths, model.experts, len(model.tasks)), widths[-1])
    if isinstance(model, FoundationModel) and model.backbone == "wukong":
        return BackboneCost(_stacked(model, fields, dense), widths[-1])
    if model.backbone == "dcnv2":
        layer = linear(inputs, inputs) + Work(elementwise=2 * inputs)  # x0 ⊙ (W x + b) + x
        return BackboneCost(layer.times(model.cross_layers) + mlp(inputs, widths), widths[-1])
    if model.backbone == "dlrm":
        return BackboneCost(_dots(model, fields, dense), widths[-1])
    if model.backbone == "deepfm":
        dim = model.embedding_dim
        machine = Work(elementwise=2 * (fields - 1) * dim + fields * dim + 3 * dim)
        return BackboneCost(mlp(inputs, widths) + machine, widths[-1] + dim)
    return BackboneCost(mlp(inputs, widths), widths[-1])


def _bottom(dense: int, dim: int) -> Work:
    """The dense features as one more vector."""
    return linear(dense, dim) + Work(elementwise=dim) if dense else Work()


def _dots(model: VerticalModel | FoundationModel, fields: int, dense: int) -> Work:
    dim, vectors = model.embedding_dim, fields + (1 if dense else 0)
    pairs = vectors * (vectors - 1) // 2
    dots = Work(matrix=2 * vectors * vectors * dim)
    return _bottom(dense, dim) + dots + mlp(pairs + (dim if dense else 0), model.mlp)


def _mixture(inputs: int, widths: tuple[int, ...], experts: int, tasks: int) -> Work:
    gate = linear(inputs, experts) + Work(matrix=2 * experts * widths[-1], elementwise=SOFTMAX * experts)
    return mlp(inputs, widths).times(experts) + gate.times(tasks)


def _stacked(model: FoundationModel, fields: int, dense: int) -> Work:
    dim, hidden, vectors = model.embedding_dim, model.mlp[0], fields + (1 if dense else 0)
    crossed = (vectors + 1) // 2
    pairs = vectors * crossed
    block = (
        linear(vectors, crossed).repeated(dim)
        + Work(matrix=2 * pairs * dim)
        + layer_norm(pairs)
        + mlp(pairs, (hidden,))
        + linear(hidden, crossed * dim)
        + linear(vectors, vectors - crossed).repeated(dim)
        + Work(elementwise=vectors * dim)
        + layer_norm(dim, vectors)
    )
    return _bottom(dense, dim) + block.times(model.layers) + mlp(vectors * dim, model.mlp)
