"""The method in one process: labels only from the past, a lift on a stream that has one to give."""

from pathlib import Path

import numpy as np

from exfm_core.das.scorer import score
from exfm_core.das.snapshots import load_snapshot, save_snapshot
from exfm_core.spec import Supervision
from exfm_core.train.local import LocalPartition, LocalTenant, study, teach
from tests.exfm_core.train.factories import HOUR, ORIGIN, foundation, partition, schema, vertical

PERIODS = 5


def periods(root: Path) -> list[dict[str, LocalPartition]]:
    found = []
    for t in range(PERIODS):
        start = ORIGIN + t * HOUR
        big, small = partition(root, 4000, t, seed=1), partition(root, 400, t, seed=1, task="conversion")
        found.append(
            {
                "big": LocalPartition(root / big.file.uri, big.rows, start, start + HOUR),
                "small": LocalPartition(root / small.file.uri, small.rows, start, start + HOUR),
            }
        )
    return found


def test_teach_and_study(tmp_path: Path) -> None:
    stream = periods(tmp_path)
    tenants = {"big": LocalTenant(schema(), 1), "small": LocalTenant(schema("conversion"), 2)}
    teaching = teach(foundation(), tenants, stream)
    assert teaching.labels[0] == {}
    assert set(teaching.labels[1]["small"]) == {"conversion"}
    assert [outcome.judgement.decision for outcome in teaching.outcomes] == ["publish"] * PERIODS

    parts = [period["big"] for period in stream]
    labels = [found.get("big", {}).get("click") for found in teaching.labels]
    course = study(vertical(Supervision("safe")), schema(), parts, labels)
    assert course.gates[0] is False
    assert course.lift().rows == sum(part.rows for part in parts)
    assert np.array_equal(course.sums("control").y, course.sums("treatment").y)
    assert sum(outcome.covered for outcome in course.outcomes) == sum(part.rows for part in parts[1:])

    ungated = study(vertical(Supervision("safe")), schema(), parts, labels, gated=False)
    assert ungated.gates == [True] * PERIODS


def test_a_logged_logit_can_be_predicted_again(tmp_path: Path) -> None:
    stream = periods(tmp_path)[:2]
    tenants = {"big": LocalTenant(schema(), 1), "small": LocalTenant(schema("conversion"), 2)}
    teaching = teach(foundation(), tenants, stream)
    snapshot = teaching.snapshot
    assert snapshot is not None
    copy = load_snapshot(save_snapshot(snapshot.net, snapshot.spec, snapshot.watermark, snapshot.slots))
    path = stream[1]["big"].open()
    first = score(snapshot, path, schema(), 1)
    assert np.array_equal(first.logits["click"], score(copy, path, schema(), 1).logits["click"])
    plain = load_snapshot(save_snapshot(snapshot.net, snapshot.spec, snapshot.watermark, snapshot.slots), "plain")
    assert np.allclose(first.logits["click"], score(plain, path, schema(), 1).logits["click"], atol=1e-5)
