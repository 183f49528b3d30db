"""Costs computed from specs equal those of the built models, layer by layer."""

import subprocess
import sys
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from exfm_core.cost import foundation_parameters, serving_cost, serving_flops, serving_parameters
from exfm_core.models.foundation import FoundationNet
from exfm_core.models.inputs import Inputs
from exfm_core.models.vertical import VerticalNet
from exfm_core.recipes import load
from exfm_core.spec import Feature, FoundationModel, FoundationSpec, StreamSchema, Task, VerticalModel, VerticalSpec

SCHEMA = StreamSchema(
    features=(
        Feature("item", buckets=100),
        Feature("place", buckets=7),
        Feature("recent", kind="sequence", buckets=100, max_length=5),
        Feature("age", kind="dense"),
        Feature("price", kind="dense"),
    ),
    tasks=(Task("click", "click", "clicked"),),
)
EVERYTHING = ("item", "place", "recent", "age", "price")
SPARSE = ("item", "place", "recent")


def spec(backbone: Any, features: tuple[str, ...], **model: Any) -> VerticalSpec:
    return VerticalSpec(VerticalModel(features, ("click",), backbone, **model))


CASES = [
    *(spec(backbone, features) for backbone in ("dcnv2", "dlrm", "deepfm") for features in (EVERYTHING, SPARSE)),
    spec("dcnv2", EVERYTHING, cross_layers=3, mlp=(32,), embedding_dim=4, head_width=5),
    spec("dlrm", ("item", "age"), mlp=(48, 24, 12)),
]


def weights(net: Any) -> int:
    return int(sum(w.numel() for w in net.tables.kernel.weights) + sum(p.numel() for p in net.parameters()))


def one_row(chosen: VerticalSpec) -> Inputs:
    features = chosen.model.resolve(SCHEMA)
    lengths = [feature.max_length or 1 for feature in features if feature.sparse]
    offsets = torch.cumsum(torch.tensor([0, *lengths]), 0)
    return Inputs(torch.zeros(sum(lengths), dtype=torch.int64), offsets, torch.zeros(1, len(features) - len(lengths)))


class Elementwise(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts element-wise operations by hand: one per output element, two for fused multiply-add, bias of addmm."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if name in ("relu", "relu_", "mul", "add", "sub", "addmm"):
            self.count += out.numel()
        elif name == "addcmul":
            self.count += 2 * out.numel()
        elif name == "sum":
            self.count += args[0].numel() - out.numel()
        return out


@pytest.mark.parametrize("chosen", CASES)
def test_parameters_equal_the_built_models(chosen: VerticalSpec) -> None:
    cost = serving_cost(chosen, SCHEMA)
    net = VerticalNet(chosen, SCHEMA)
    assert serving_parameters(chosen, SCHEMA) == weights(net)
    assert cost.table_rows == sum(net.tables.rows) and cost.bytes == 4 * cost.parameters


@pytest.mark.parametrize("chosen", CASES)
def test_operations_equal_the_built_models(chosen: VerticalSpec) -> None:
    cost, net, inputs = serving_cost(chosen, SCHEMA), VerticalNet(chosen, SCHEMA), one_row(chosen)
    with torch.no_grad():
        pooled = net.tables(inputs)
        with FlopCounterMode(display=False) as matrix:
            net.serving(net.backbone(pooled, inputs.dense_bn))
        with Elementwise() as elementwise:
            net.serving(net.backbone(pooled, inputs.dense_bn))
    pooling = sum(f.max_length * chosen.model.embedding_dim for f in chosen.model.resolve(SCHEMA))
    assert cost.matrix_flops == matrix.get_total_flops()
    assert cost.elementwise_flops == elementwise.count + pooling
    assert serving_flops(chosen, SCHEMA) == cost.matrix_flops + cost.elementwise_flops


@pytest.mark.parametrize("backbone", ["dcnv2", "dlrm", "deepfm"])
def test_foundation_parameters_equal_the_built_models(backbone: Any) -> None:
    chosen = FoundationSpec(FoundationModel(SCHEMA.features, ("click", "like"), backbone, tenant_slots=9))
    assert foundation_parameters(chosen) == weights(FoundationNet(chosen))


def test_supervision_costs_nothing_to_serve() -> None:
    shop = load("synthetic").tenants[0]
    plain = VerticalSpec(shop.vertical.model)
    assert serving_cost(shop.vertical, shop.schema) == serving_cost(plain, shop.schema)


def test_costs_never_load_torch() -> None:
    code = "import sys, exfm_core.cost; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
