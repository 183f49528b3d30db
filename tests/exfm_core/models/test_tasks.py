"""Several tasks in one vertical model: a head each, one head's weights for the first whatever follows."""

from typing import Any

import pytest
import torch

from exfm_core.models.inputs import Inputs
from exfm_core.models.vertical import VerticalNet
from exfm_core.spec import BACKBONES, Attention, Feature, StreamSchema, Task, VerticalModel, VerticalSpec

SCHEMA = StreamSchema(
    (
        Feature("item", buckets=20),
        Feature("recent", "sequence", 20, max_length=3),
        Feature("age", "dense"),
    ),
    (Task("click", "click", "clicked"), Task("like", "like", "liked"), Task("buy", "buy", "bought")),
)
SHARED = ("dcnv2", "dlrm", "deepfm", "din")
THREE = ("click", "like", "buy")


def net(backbone: Any, tasks: tuple[str, ...], **model: Any) -> VerticalNet:
    pairs = (Attention("recent", "item"),) if backbone == "din" else ()
    shape = VerticalModel(("item", "recent", "age"), tasks, backbone, mlp=(12, 6), attention=pairs, **model)
    return VerticalNet(VerticalSpec(shape, seed=4), SCHEMA)


def batch(rows: int = 7) -> Inputs:
    """Sequences of 0, 1, 2, 3, 0, … ids."""
    lengths = torch.cat([torch.ones(rows, dtype=torch.int64), torch.arange(rows) % 4])
    offsets = torch.cat([torch.zeros(1, dtype=torch.int64), lengths.cumsum(0)])
    return Inputs(torch.arange(int(offsets[-1])) % 20, offsets, torch.arange(rows).float().unsqueeze(1) / rows)


@pytest.mark.parametrize("backbone", SHARED)
def test_further_tasks_leave_the_first_one_s_weights_alone(backbone: str) -> None:
    one, three = net(backbone, THREE[:1]), net(backbone, THREE)
    assert torch.equal(one(batch()), three(batch()))
    known = dict(three.named_parameters())
    assert all(torch.equal(weight, known[name]) for name, weight in one.named_parameters())
    assert len(one.heads) == 1 and len(three.heads) == 3 and not one.further


@pytest.mark.parametrize("backbone", BACKBONES)
def test_a_representation_and_a_logit_per_task(backbone: str) -> None:
    built = net(backbone, THREE)
    xs = built.represent(batch())
    logits = built.serve(xs)
    assert [tuple(x.shape) for x in xs] == [(7, built.backbone.width)] * 3
    assert [tuple(s.shape) for s in logits] == [(7,)] * 3
    assert torch.equal(logits[0], built(batch())) and not torch.equal(logits[0], logits[1])
    assert (xs[0] is xs[1]) == (backbone != "mmoe")


@pytest.mark.parametrize("backbone", BACKBONES)
def test_a_task_s_loss_stays_out_of_the_other_heads(backbone: str) -> None:
    built = net(backbone, THREE)
    before = [weight.clone() for weight in built.tables.kernel.weights]
    logits = built.serve(built.represent(batch()))
    torch.autograd.backward(logits[1].sum())
    first, second, third = built.heads
    assert all(w.grad is None or not bool(w.grad.any()) for head in (first, third) for w in head.parameters())
    assert any(w.grad is not None and bool(w.grad.any()) for w in second.parameters())
    assert any(w.grad is not None and bool(w.grad.any()) for w in built.backbone.parameters())
    assert all(not torch.equal(a, b) for a, b in zip(before, built.tables.kernel.weights, strict=True))


def test_din_s_sequence_reads_its_target_s_table() -> None:
    built = net("din", ("click",))
    assert built.tables.names == ("item",) and set(built.tables.state()) == {"item.weight", "item.adagrad"}
    assert built.tables.features == ("item", "recent")
    assert {"attention.units.1.hidden.weight", "attention.units.1.weight.bias"} <= set(dict(built.named_parameters()))


def test_din_s_empty_sequence_says_nothing() -> None:
    """Rows 0 and 4 have no past: their vector of the sequence is exact zeros, whatever the attention's weights are."""
    built = net("din", ("click",))
    assert built.attention is not None
    emb = built.attention(*built.tables.parts(batch()))
    assert torch.equal(emb[[0, 4], 1], torch.zeros(2, 8)) and bool(emb[[1, 2, 3], 1].any())
