"""The same figures the slow way: loops over rows and pairs, straight from the definitions."""

import math
from itertools import product


def softplus(z: float) -> float:
    return max(z, 0.0) + math.log1p(math.exp(-abs(z)))


def loss(z: float, y: float) -> float:
    return softplus(z) - y * z


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


def auc(scores: list[float], labels: list[int]) -> float | None:
    pairs = list(product(*([s for s, y in zip(scores, labels, strict=True) if y == k] for k in (1, 0))))
    if not pairs:
        return None
    return sum(1.0 if p > n else 0.5 if p == n else 0.0 for p, n in pairs) / len(pairs)


def gauc(scores: list[float], labels: list[int], groups: list[int]) -> tuple[float | None, int]:
    total = weight = 0.0
    for group in set(groups):
        at = [i for i, g in enumerate(groups) if g == group]
        area = auc([scores[i] for i in at], [labels[i] for i in at])
        if area is not None:
            total, weight = total + area * len(at), weight + len(at)
    return (total / weight if weight else None), int(weight)


def ece(probabilities: list[float], labels: list[int], bins: int) -> float:
    total = 0.0
    for b in range(bins):
        at = [i for i, p in enumerate(probabilities) if b == min(int(p * bins), bins - 1)]
        if at:
            gap = sum(probabilities[i] for i in at) / len(at) - sum(labels[i] for i in at) / len(at)
            total += len(at) / len(labels) * abs(gap)
    return total


def entropy(p: float) -> float:
    return 0.0 if p in (0.0, 1.0) else -(p * math.log(p) + (1 - p) * math.log(1 - p))
