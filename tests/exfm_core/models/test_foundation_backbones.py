"""What METHOD asks of a foundation model holds for every backbone and encoder: tenants, zero-shot, lacking features."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from exfm_core.das.scorer import score
from exfm_core.das.snapshots import load_snapshot, save_snapshot
from exfm_core.errors import SpecError
from exfm_core.models.foundation import TENANT, FoundationNet
from exfm_core.models.inputs import Inputs
from exfm_core.spec import Feature, FoundationSpec, StreamSchema, VerticalModel
from exfm_core.train.checkpoints import load_foundation, save_foundation
from exfm_core.train.foundation import FoundationTrainer
from exfm_core.train.foundation_rows import Stream
from exfm_core.train.gate import Limits
from tests.exfm_core.train.factories import ORIGIN, foundation, partition, schema

KINDS = [
    ("dcnv2", "mean"),
    ("dlrm", "attention"),
    ("deepfm", "attention"),
    ("wukong", "mean"),
    ("wukong", "attention"),
]


def spec(backbone: str, encoder: str) -> FoundationSpec:
    base = foundation()
    return replace(base, model=replace(base.model, backbone=backbone, sequence_encoder=encoder))


def batch(slots: list[int], past: int = 2) -> Inputs:
    """Rows that differ in the tenant alone; sparse: user_id, item_id, recent (`past` ids each), tenant."""
    rows = len(slots)
    seen = [slot for slot in slots if slot]
    ids = [1] * rows + [2] * rows + [3] * past * rows + seen
    lengths = [1] * 2 * rows + [past] * rows + [int(slot > 0) for slot in slots]
    offsets = torch.tensor([0, *lengths]).cumsum(0)
    return Inputs(torch.tensor(ids), offsets, torch.ones(rows, 1))


@pytest.mark.parametrize(("backbone", "encoder"), KINDS)
def test_tenants_and_the_unseen_one(backbone: str, encoder: str) -> None:
    net = FoundationNet(spec(backbone, encoder))
    slots = [0, 1, 2]
    before = net(batch(slots), torch.tensor(slots)).detach()
    assert not torch.allclose(before[0], before[1], atol=1e-7), "a tenant's vector counts"
    with torch.no_grad():
        net.tenant_bias[0] = 9.0
        net.tenant_bias[1] = torch.tensor([1.0, 2.0])
        net.tables.state()[f"{TENANT}.weight"][0] = 5.0
    after = net(batch(slots), torch.tensor(slots)).detach()
    assert torch.equal(after[0], before[0]), "slot 0 has neither a vector nor a bias"
    assert torch.allclose(after[1] - before[1], torch.tensor([1.0, 2.0]), atol=1e-6)
    assert torch.equal(after[2], before[2])


@pytest.mark.parametrize(("backbone", "encoder"), KINDS)
def test_a_feature_that_a_stream_lacks_is_neither_read_nor_trained(backbone: str, encoder: str) -> None:
    net = FoundationNet(spec(backbone, encoder))
    before = {name: value.clone() for name, value in net.tables.state().items()}
    slots = torch.tensor([1, 2])
    logits = net(batch([1, 2], past=0), slots)
    assert bool(torch.isfinite(logits).all())
    torch.autograd.backward(logits.sum())
    moved = {name for name, value in net.tables.state().items() if not torch.equal(value, before[name])}
    assert moved == {f"{name}.{part}" for name in ("user_id", "item_id", TENANT) for part in ("weight", "adagrad")}
    for name, weight in net.named_parameters():
        if name.startswith("attention"):
            assert weight.grad is None or not bool(weight.grad.any()), "nothing to weigh, nothing to learn"


def test_the_learned_query_is_learned() -> None:
    net = FoundationNet(spec("wukong", "attention"))
    inputs = batch([1, 2])
    inputs.indices[4:8] = torch.tensor([3, 4, 5, 3])
    torch.autograd.backward(net(inputs, torch.tensor([1, 2])).sum())
    query = dict(net.named_parameters())["attention.units.2.query"]
    assert query.grad is not None and bool(query.grad.any())


@pytest.mark.parametrize(("backbone", "encoder"), [("wukong", "attention"), ("wukong", "mean")])
def test_it_trains_resumes_publishes_and_scores(tmp_path: Path, backbone: str, encoder: str) -> None:
    """A partition in two periods, straight and resumed; then a newcomer is served zero-shot from the snapshot."""
    chosen = spec(backbone, encoder)
    parts = [partition(tmp_path, 400, period, seed=7) for period in (1, 2)]
    periods = [[Stream(tmp_path / part.file.uri, schema(), 1)] for part in parts]
    straight = FoundationTrainer(chosen)
    straight.train(periods[0], None, Limits())
    position = {"slots": sorted(straight.slots), "rows_seen": straight.rows_seen}
    saved = save_foundation(straight.net, straight.optimizer, {"spec": chosen.to_json()}, position)
    resumed = FoundationTrainer(chosen)
    assert load_foundation(resumed.net, resumed.optimizer, saved, {"spec": chosen.to_json()}) == position
    resumed.slots, resumed.rows_seen = straight.slots, straight.rows_seen
    for trainer in (straight, resumed):
        trainer.train(periods[1], None, Limits())
    for name, value in straight.net.tables.state().items():
        assert torch.equal(value, resumed.net.tables.state()[name]), name
    again = dict(resumed.net.named_parameters())
    assert all(torch.equal(weight, again[name]) for name, weight in straight.net.named_parameters())
    snapshot = load_snapshot(save_snapshot(straight.net, chosen, ORIGIN.isoformat(), straight.slots))
    newcomer = score(snapshot, tmp_path / parts[1].file.uri, schema(), 3).logits["click"]
    known = score(snapshot, tmp_path / parts[1].file.uri, schema(), 1).logits["click"]
    assert newcomer.shape == (400,) and newcomer.std() > 0 and (newcomer != known).any()


def test_a_privileged_sequence_is_the_teacher_s_alone() -> None:
    secret = Feature("future", "sequence", 50, max_length=4, catalogue="future", privileged=True)
    stream = StreamSchema((*schema().features, secret), schema().tasks)
    base = spec("wukong", "attention")
    teacher = replace(base.model, features=(*base.model.features, secret))
    assert teacher.bind(stream)["future"] == secret
    with pytest.raises(SpecError, match="'future' is privileged"):
        VerticalModel(("item_id", "future"), ("click",)).resolve(stream)
