"""Exact area under the ROC curve, with ties at half. Torch-free."""

import numpy as np
import numpy.typing as npt


def exact_auc(scores: npt.ArrayLike, labels: npt.ArrayLike) -> float | None:
    """P(score of a positive > score of a negative) + ½·P(equal), from midranks (Mann and Whitney 1947).

    `scores` [N] finite, `labels` [N] 0 or 1. None where only one class occurs. O(N log N).
    """
    z, positive = np.asarray(scores), np.asarray(labels) > 0.5
    positives = int(positive.sum())
    negatives = len(z) - positives
    if not positives or not negatives:
        return None
    order = np.argsort(z, kind="stable")
    ordered = z[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    ends = np.r_[starts[1:], len(z)]
    midranks = np.repeat((starts + 1 + ends) / 2.0, ends - starts)
    rank_sum = float(midranks[positive[order]].sum())
    return (rank_sum - positives * (positives + 1) / 2.0) / (float(positives) * negatives)
