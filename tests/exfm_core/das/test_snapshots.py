"""Snapshots: same weights back, damage refused, no leak, an unseen tenant served by the shared head."""

from datetime import UTC, datetime, timedelta

import pytest
import torch

from exfm_core.das.snapshots import load_snapshot, refuse_leak, save_snapshot
from exfm_core.errors import CheckpointError, LeakError
from exfm_core.models.foundation import FoundationNet
from tests.exfm_core.train.factories import foundation

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_weights_come_back_bit_by_bit() -> None:
    net = FoundationNet(foundation())
    snapshot = load_snapshot(save_snapshot(net, foundation(), NOON.isoformat(), frozenset({1, 3})))
    assert (snapshot.spec, snapshot.watermark, snapshot.slots) == (foundation(), NOON.isoformat(), frozenset({1, 3}))
    for mine, theirs in zip(net.parameters(), snapshot.net.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    for mine_table, their_table in zip(net.tables.kernel.weights, snapshot.net.tables.kernel.weights, strict=True):
        assert torch.equal(mine_table, their_table)


def test_holds_no_optimiser_state() -> None:
    net = FoundationNet(foundation())
    before = save_snapshot(net, foundation(), NOON.isoformat(), frozenset())
    for state in net.tables.kernel.states:
        state.add_(1.0)
    assert save_snapshot(net, foundation(), NOON.isoformat(), frozenset()) == before


def test_damage_is_refused() -> None:
    data = save_snapshot(FoundationNet(foundation()), foundation(), NOON.isoformat(), frozenset())
    with pytest.raises(CheckpointError):
        load_snapshot(data[:-4])


def test_a_tenant_it_never_saw_is_scored_as_unseen() -> None:
    snapshot = load_snapshot(save_snapshot(FoundationNet(foundation()), foundation(), NOON.isoformat(), frozenset({1})))
    assert (snapshot.slot(1), snapshot.slot(2), snapshot.slot(0)) == (1, 0, 0)


@pytest.mark.parametrize(("ahead", "leaks"), [(-1, False), (0, False), (1, True)])
def test_watermark_may_touch_the_start_but_not_pass_it(ahead: int, leaks: bool) -> None:
    watermark = NOON + timedelta(microseconds=ahead)
    if leaks:
        with pytest.raises(LeakError) as caught:
            refuse_leak(watermark, NOON)
        assert caught.value.mend
    else:
        refuse_leak(watermark, NOON)
