"""Parameters and floating-point operations of layers, by their shapes alone. Torch-free.

A multiply and an add count as one operation each. ``matrix`` operations are those of matrix products; everything else
(biases, activations, element-wise products, pooling) is ``elementwise``: one per element, 5 for a softmax (largest,
difference, exponential, sum, quotient), 7 for a layer norm (mean, difference, square, its mean, quotient, scale,
shift). Per row of a batch.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

SOFTMAX, LAYER_NORM = 5, 7


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

    def times(self, count: int) -> Work:
        """So many of the same, each with weights of its own."""
        return Work(count * self.parameters, count * self.matrix, count * self.elementwise)

    def repeated(self, count: int) -> Work:
        """The same weights used so many times per row."""
        return Work(self.parameters, count * self.matrix, count * self.elementwise)


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


def layer_norm(width: int, vectors: int = 1) -> Work:
    """Scale and shift for ``width`` entries, applied to so many vectors."""
    return Work(2 * width, 0, LAYER_NORM * width * vectors)


def mean(length: int, dim: int) -> Work:
    """Mean of a sequence's vectors: (L − 1)·dim adds and dim scalings."""
    return Work(elementwise=length * dim)


def target_attention(length: int, dim: int, width: int) -> Work:
    """The activation unit at every place (difference, product, two layers, mask), and the weighed sum."""
    unit = Work(elementwise=2 * dim) + mlp(4 * dim, (width,)) + linear(width, 1) + Work(elementwise=1)
    return unit.repeated(length) + Work(matrix=2 * length * dim)


def query_attention(length: int, dim: int) -> Work:
    """A score and its scaling at every place, softmax, mask, and the weighed sum."""
    return Work(dim, 4 * length * dim, (2 + SOFTMAX) * length)
