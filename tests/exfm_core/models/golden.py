"""Small fixed models and batches whose forward values are kept: before and after three steps of training."""

from typing import Any

import torch

from exfm_core.models.embeddings import Backend
from exfm_core.models.foundation import FoundationNet
from exfm_core.models.inputs import Inputs
from exfm_core.models.vertical import VerticalNet
from exfm_core.spec import (
    Attention,
    Feature,
    FoundationModel,
    FoundationSpec,
    Optimizer,
    StreamSchema,
    Task,
    VerticalModel,
    VerticalSpec,
)

ROWS, STEPS = 6, 3
SCHEMA = StreamSchema(
    (
        Feature("item", buckets=11),
        Feature("recent", "sequence", 11, max_length=3),
        Feature("place", buckets=4, hashed=False),
        Feature("age", "dense"),
        Feature("price", "dense"),
    ),
    (Task("click", "click", "clicked"), Task("like", "like", "liked")),
)
READ = tuple(feature.name for feature in SCHEMA.features)


def vertical(backbone: Any, tasks: tuple[str, ...] = ("click",)) -> VerticalSpec:
    """A vertical model of every feature."""
    pairs = (Attention("recent", "item", 8),) if backbone == "din" else ()
    model = VerticalModel(READ, tasks, backbone, 8, (16, 8), 2, 8, experts=3, attention=pairs)
    return VerticalSpec(model, Optimizer(embedding_lr=0.1), seed=11)


def foundation(backbone: Any, encoder: Any = "mean") -> FoundationSpec:
    """A foundation model of every feature, with two heads."""
    shape = FoundationModel(SCHEMA.features, ("click", "like"), backbone, 8, (16, 8), 2, 4, 2, encoder)
    return FoundationSpec(shape, Optimizer(embedding_lr=0.2), seed=11)


def batch(tenants: bool = False) -> Inputs:
    """Six rows; past items 0, 1, 2, 3, 0, 1 long; by arithmetic, not by a generator."""
    rows = torch.arange(ROWS)
    lengths = [torch.ones(ROWS, dtype=torch.int64), rows % 4, torch.ones(ROWS, dtype=torch.int64)]
    past = torch.arange(int(lengths[1].sum())) * 5 % 11
    ids = [rows * 7 % 11, past, rows % 4]
    if tenants:
        lengths.append((rows % 3 > 0).long())
        ids.append((rows % 3)[rows % 3 > 0])
    offsets = torch.cat([torch.zeros(1, dtype=torch.int64), torch.cat(lengths).cumsum(0)])
    dense = torch.stack([rows / ROWS, 1.0 - rows / 3.0], 1)
    return Inputs(torch.cat(ids), offsets, dense)


def logits(net: VerticalNet | FoundationNet) -> torch.Tensor:
    """[ROWS, tasks]."""
    if isinstance(net, FoundationNet):
        found: torch.Tensor = net(batch(tenants=True), torch.arange(ROWS) % 3)
        return found
    return torch.stack(net.serve(net.represent(batch())), 1)


def course(spec: VerticalSpec | FoundationSpec, backend: Backend) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits [ROWS, tasks] of the initial weights, and after three steps on alternating labels."""
    net = VerticalNet(spec, SCHEMA, backend) if isinstance(spec, VerticalSpec) else FoundationNet(spec, backend)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    before = logits(net).detach()
    for _ in range(STEPS):
        z = logits(net)
        labels = (torch.arange(z.numel()) % 2).float().view_as(z)
        optimizer.zero_grad()
        torch.autograd.backward(torch.nn.functional.binary_cross_entropy_with_logits(z, labels))
        optimizer.step()
    return before, logits(net).detach()


CASES: dict[str, VerticalSpec | FoundationSpec] = {
    **{f"vertical {name}": vertical(name) for name in ("dcnv2", "dlrm", "deepfm", "mmoe", "din")},
    **{f"vertical {name}, two tasks": vertical(name, ("click", "like")) for name in ("dcnv2", "mmoe", "din")},
    **{f"foundation {name}": foundation(name) for name in ("dcnv2", "dlrm", "deepfm", "wukong")},
    "foundation wukong, attention": foundation("wukong", "attention"),
}
"""The first three vertical and the first three foundation models gave these values before others existed."""
