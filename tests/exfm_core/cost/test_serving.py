"""The cost of a specification equals the built model's, counted by torch."""

from dataclasses import replace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from exfm_core.cost import serving_flops, serving_parameters
from exfm_core.models.inputs import Inputs
from exfm_core.models.vertical import VerticalNet
from exfm_core.spec import Feature, StreamSchema, Task, VerticalModel, VerticalSpec

ROWS = 3


def schema(dense: int) -> StreamSchema:
    sparse = (
        Feature("ad", buckets=50),
        Feature("hour", buckets=24, hashed=False),
        Feature("recent", kind="sequence", buckets=30, max_length=4),
    )
    return StreamSchema(
        features=(*sparse, *(Feature(f"d{i}", kind="dense") for i in range(dense))),
        tasks=(Task("click", "click", "clicked"),),
    )


def inputs(fields: int, dense: int) -> Inputs:
    """One id per bag, row 0 everywhere."""
    bags = fields * ROWS
    return Inputs(torch.zeros(bags, dtype=torch.int64), torch.arange(bags + 1), torch.zeros(ROWS, dense))


@pytest.mark.parametrize("dense", [0, 2])
@pytest.mark.parametrize("backbone", ["dcnv2", "dlrm", "deepfm"])
@pytest.mark.parametrize("mlp", [(8,), (16, 4)])
def test_equal_to_the_built_model(backbone: str, dense: int, mlp: tuple[int, ...]) -> None:
    columns = schema(dense)
    model = VerticalModel(
        features=tuple(feature.name for feature in columns.features), task="click", embedding_dim=4, mlp=mlp
    )
    spec = VerticalSpec(model=replace(model, backbone=backbone, cross_layers=2 if backbone == "dcnv2" else 1))
    net = VerticalNet(spec, columns, backend="plain")
    stored = [*net.parameters(), *net.tables.kernel.weights]
    assert serving_parameters(spec, columns) == sum(weight.numel() for weight in stored)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(inputs(3, dense))
    assert serving_flops(spec, columns) * ROWS == counter.get_total_flops()
