"""Weights that are never negative, fitted to relative errors. Torch-free."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_ROUNDS = 5000


def fit_ratios(terms: Sequence[Sequence[float]], measured: Sequence[float]) -> tuple[float, ...]:
    """Least squares of (estimate ÷ measurement − 1) over weights ≥ 0, by coordinate descent.

    `terms` [points, k], `measured` [points] above 0. A negative weight would make some unseen model cost less than
    nothing.
    """
    ratios = np.asarray(terms, np.float64) / np.asarray(measured, np.float64)[:, None]
    norms = (ratios * ratios).sum(0)
    weights = np.zeros(ratios.shape[1])
    rest = np.ones(len(ratios))
    for _ in range(_ROUNDS):
        for j in np.flatnonzero(norms > 0):
            better = max(0.0, weights[j] + float(ratios[:, j] @ rest) / float(norms[j]))
            rest -= (better - weights[j]) * ratios[:, j]
            weights[j] = better
    return tuple(float(weight) for weight in weights)


def largest_ratio(estimates: Sequence[float], measured: Sequence[float]) -> float:
    """max over points of estimate ÷ measurement or its inverse, whichever is above 1."""
    quotients = np.asarray(estimates, np.float64) / np.asarray(measured, np.float64)
    return float(np.maximum(quotients, 1.0 / quotients).max())
