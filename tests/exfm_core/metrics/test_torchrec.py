"""Our figures against torchrec.metrics where it is right, and the trap where it is not."""

import numpy as np
import pytest
import torch

from exfm_core.metrics import sums
from exfm_core.metrics.auc import exact_auc
from exfm_core.metrics.grouped import grouped_auc


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, np.ndarray]:
    """Continuous scores: no ties."""
    rng = np.random.default_rng(11)
    logits = rng.normal(size=4000)
    labels = (rng.random(4000) < 1 / (1 + np.exp(-logits))).astype(np.float64)
    return logits, labels


def test_ne_calibration_and_auc_agree_on_continuous_scores(rows: tuple[np.ndarray, np.ndarray]) -> None:
    from torchrec.metrics.auc import compute_auc
    from torchrec.metrics.calibration import compute_calibration
    from torchrec.metrics.ne import compute_cross_entropy, compute_ne

    logits, labels = rows
    y, p = torch.tensor(labels), torch.sigmoid(torch.tensor(logits))
    weights, eta = torch.ones_like(y), 1e-12
    entropy = compute_cross_entropy(y, p, weights, eta).sum()
    theirs = compute_ne(entropy, weights.sum(), y.sum(), (1 - y).sum(), eta)
    ours = sums.BucketSums.of(np.zeros(len(labels), np.int64), labels, logits)
    assert sums.normalized_entropy(ours).value == pytest.approx(float(theirs), rel=1e-9)
    assert sums.calibration(ours).value == pytest.approx(float(compute_calibration(p.sum(), y.sum())), rel=1e-12)
    (area,) = compute_auc(1, [p.unsqueeze(0)], [y.unsqueeze(0)], [weights.unsqueeze(0)])
    assert exact_auc(logits, labels) == pytest.approx(float(area), abs=1e-6)


def test_gauc_agrees_where_users_have_equally_many_rows(rows: tuple[np.ndarray, np.ndarray]) -> None:
    """torchrec weighs users, not impressions: on equal counts the two are one figure."""
    from torchrec.metrics.gauc import compute_gauc_3d

    logits, labels = rows
    p = torch.sigmoid(torch.tensor(logits)).view(1, 50, 80)
    y = torch.tensor(labels).view(1, 50, 80)
    found = compute_gauc_3d(p, y, torch.ones_like(y))
    assert int(found["num_samples"]) == 50
    ours = grouped_auc(logits, labels, np.arange(50).repeat(80))
    assert ours.value == pytest.approx(float(found["auc_sum"]) / 50, abs=1e-9)


def test_torchrec_auc_depends_on_row_order_under_ties_and_ours_does_not() -> None:
    """Guard: if this fails, torchrec mended its AUC; ours stays because sums need it either way."""
    from torchrec.metrics.auc import compute_auc

    areas = []
    for labels in ([1.0, 1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0, 1.0]):
        y = torch.tensor([labels])
        (area,) = compute_auc(1, [torch.full_like(y, 0.3)], [y], [torch.ones_like(y)])
        areas.append(round(float(area), 3))
        assert exact_auc(np.full(5, 0.3), labels) == 0.5
    assert areas[0] != areas[1]
