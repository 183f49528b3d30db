"""gAUC: how well a model orders what one user saw, weighted by impressions. Torch-free."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class GroupedAuc:
    """Σ n_g·AUC_g ÷ Σ n_g over groups with both classes (None: no such group), and the rows and groups it counts."""

    value: float | None
    rows: int
    groups: int
    reason: str = ""


def grouped_auc(scores: npt.ArrayLike, labels: npt.ArrayLike, groups: npt.ArrayLike) -> GroupedAuc:
    """Impression-weighted AUC within groups (users), ties at half. O(N log N), no loop over groups.

    `scores` [N] finite, `labels` [N] 0 or 1, `groups` [N] whole numbers. A group of one class says nothing about
    order: it is left out, and `rows` says how many rows stayed.
    """
    z, positive, g = np.asarray(scores), np.asarray(labels) > 0.5, np.asarray(groups)
    if not len(z):
        return GroupedAuc(None, 0, 0, "no rows")
    order = np.lexsort((z, g))
    z, positive, g = z[order], positive[order], g[order]
    group_starts = np.flatnonzero(np.r_[True, g[1:] != g[:-1]])
    tie_starts = np.flatnonzero(np.r_[True, (g[1:] != g[:-1]) | (z[1:] != z[:-1])])
    tie_ends = np.r_[tie_starts[1:], len(z)]
    midranks = np.repeat((tie_starts + 1 + tie_ends) / 2.0, tie_ends - tie_starts)  # 1-based, over all rows
    sizes = np.diff(np.r_[group_starts, len(z)])
    positives = np.add.reduceat(positive.astype(np.float64), group_starts)
    negatives = sizes - positives
    rank_sums = np.add.reduceat(np.where(positive, midranks, 0.0), group_starts) - positives * group_starts
    both = (positives > 0) & (negatives > 0)
    if not both.any():
        return GroupedAuc(None, 0, 0, "no group has both classes")
    wins = rank_sums[both] - positives[both] * (positives[both] + 1) / 2.0
    areas = wins / (positives[both] * negatives[both])
    rows = int(sizes[both].sum())
    return GroupedAuc(float(areas @ sizes[both]) / rows, rows, int(both.sum()))
