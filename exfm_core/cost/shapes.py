"""Parameters and floating-point operations of layers and backbones, by their shapes alone. Torch-free.

A multiply and an add count as one operation each. ``matrix`` operations are those of matrix products; everything else
(biases, activations, element-wise products, pooling) is ``elementwise``. Per row of a batch.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Work:
    """Parameters, and operations per row."""

    parameters: int = 0
    matrix: int = 0
    elementwise: int = 0

    def __add__(self, other: Work) -> Work:
        return Work(
            self.parameters + other.parameters, self.matrix + other.matrix, self.elementwise + other.elementwise
        )


@dataclass(frozen=True, slots=True)
class BackboneCost:
    """Work of a backbone without its tables, and the width of the representation it returns."""

    work: Work
    width: int


def linear(inputs: int, outputs: int) -> Work:
    """W x + b."""
    return Work(inputs * outputs + outputs, 2 * inputs * outputs, outputs)


def mlp(inputs: int, widths: tuple[int, ...]) -> Work:
    """Linear layers, each followed by a ReLU."""
    layers = (linear(a, b) + Work(elementwise=b) for a, b in itertools.pairwise((inputs, *widths)))
    return sum(layers, start=Work())


def head(inputs: int, width: int) -> Work:
    """One hidden layer with a ReLU, and a logit."""
    return mlp(inputs, (width,)) + linear(width, 1)


def backbone_cost(
    backbone: str, *, fields: int, dim: int, dense: int, widths: tuple[int, ...], cross_layers: int
) -> BackboneCost:
    """Cost of a backbone over ``fields`` pooled embeddings of ``dim`` and ``dense`` dense features.

    dcnv2: cross layers x0 ⊙ (W x + b) + x, then the MLP. dlrm: dense features as one more vector, all pairwise dots,
    then the MLP. deepfm: the MLP beside the factorisation machine's vector.
    """
    inputs = fields * dim + dense
    if backbone == "dcnv2":
        layer = linear(inputs, inputs) + Work(elementwise=2 * inputs)
        crossed = sum((layer for _ in range(cross_layers)), start=Work())
        return BackboneCost(crossed + mlp(inputs, widths), widths[-1])
    if backbone == "dlrm":
        vectors = fields + (1 if dense else 0)
        bottom = linear(dense, dim) + Work(elementwise=dim) if dense else Work()
        dots = Work(matrix=2 * vectors * vectors * dim)
        pairs = vectors * (vectors - 1) // 2
        return BackboneCost(bottom + dots + mlp(pairs + (dim if dense else 0), widths), widths[-1])
    squares = 2 * (fields - 1) * dim + fields * dim + 3 * dim
    return BackboneCost(mlp(inputs, widths) + Work(elementwise=squares), widths[-1] + dim)
