"""What target attention is for: whether the item in question was seen before, which a mean of the past blurs."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from exfm_core.models.inputs import Inputs
from exfm_core.models.vertical import VerticalNet
from exfm_core.spec import Attention, Feature, StreamSchema, Task, VerticalModel, VerticalSpec

ROWS, ITEMS, PAST, STEPS = 128, 20, 4, 500
SCHEMA = StreamSchema(
    (Feature("item", buckets=ITEMS), Feature("recent", "sequence", ITEMS, max_length=PAST)),
    (Task("click", "click", "clicked"),),
)


def batches() -> Iterator[tuple[Inputs, torch.Tensor]]:
    """Clicked where the item stands in the past, with one label in ten turned over: no model gets below 0.325."""
    rng = np.random.default_rng(0)
    for _ in range(STEPS):
        item, past = rng.integers(0, ITEMS, ROWS), rng.integers(0, ITEMS, (ROWS, PAST))
        known = rng.random(ROWS) < 0.5
        past[known, rng.integers(0, PAST)] = item[known]
        label = (past == item[:, None]).any(1) ^ (rng.random(ROWS) < 0.1)
        offsets = np.concatenate([np.arange(ROWS), ROWS + PAST * np.arange(ROWS + 1)])
        ids = torch.from_numpy(np.concatenate([item, past.ravel()]))
        yield Inputs(ids, torch.from_numpy(offsets), torch.zeros(ROWS, 0)), torch.from_numpy(label).float()


def late_loss(backbone: Any, attention: tuple[Attention, ...] = ()) -> float:
    """Mean log loss of the last hundred batches, each predicted before it is trained on."""
    model = VerticalModel(("item", "recent"), ("click",), backbone, mlp=(32, 16), attention=attention)
    net = VerticalNet(VerticalSpec(model), SCHEMA)
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3, fused=True)
    losses = []
    for inputs, labels in batches():
        loss = F.binary_cross_entropy_with_logits(net(inputs), labels)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        losses.append(float(loss.detach()))
    return float(np.mean(losses[-100:]))


def test_it_learns_what_the_mean_of_the_past_hides() -> None:
    assert late_loss("din", (Attention("recent", "item"),)) < 0.38
    assert late_loss("dcnv2") > 0.44
