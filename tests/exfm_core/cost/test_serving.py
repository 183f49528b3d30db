"""Costs computed from specs equal those of the built models, layer by layer."""

import subprocess
import sys
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from exfm_core.cost import (
    batch_bytes,
    foundation_cost,
    foundation_flops,
    foundation_parameters,
    serving_cost,
    serving_flops,
    serving_parameters,
)
from exfm_core.models.foundation import FoundationNet
from exfm_core.models.inputs import Inputs
from exfm_core.models.vertical import VerticalNet
from exfm_core.recipes import load
from exfm_core.spec import (
    FOUNDATION_BACKBONES,
    Attention,
    Feature,
    FoundationModel,
    FoundationSpec,
    StreamSchema,
    Task,
    VerticalModel,
    VerticalSpec,
)

SCHEMA = StreamSchema(
    features=(
        Feature("item", buckets=100),
        Feature("place", buckets=7),
        Feature("recent", kind="sequence", buckets=100, max_length=5),
        Feature("age", kind="dense"),
        Feature("price", kind="dense"),
        Feature("seen", kind="sequence", buckets=7, max_length=3),
    ),
    tasks=(Task("click", "click", "clicked"), Task("like", "like", "liked"), Task("buy", "conversion", "bought")),
)
EVERYTHING = ("item", "place", "recent", "age", "price")
SPARSE = ("item", "place", "recent")


def spec(backbone: Any, features: tuple[str, ...], **model: Any) -> VerticalSpec:
    return VerticalSpec(VerticalModel(features, model.pop("tasks", ("click",)), backbone, **model))


CASES = [
    *(spec(backbone, features) for backbone in ("dcnv2", "dlrm", "deepfm") for features in (EVERYTHING, SPARSE)),
    spec("dcnv2", EVERYTHING, cross_layers=3, mlp=(32,), embedding_dim=4, head_width=5),
    spec("dlrm", ("item", "age"), mlp=(48, 24, 12)),
    *(spec(backbone, EVERYTHING, tasks=("click", "like", "buy")) for backbone in ("dcnv2", "dlrm", "deepfm", "mmoe")),
    spec("mmoe", SPARSE, experts=3, mlp=(24, 8)),
    spec("din", EVERYTHING, tasks=("like", "buy"), attention=(Attention("recent", "item", 12),)),
    spec(
        "din",
        ("seen", "recent", "place", "item", "age"),
        attention=(Attention("seen", "place"), Attention("recent", "item", 4)),
    ),
    spec("din", ("item", "recent", "seen", "place"), embedding_dim=4, attention=(Attention("recent", "item"),)),
]


def weights(net: Any) -> int:
    return int(sum(w.numel() for w in net.tables.kernel.weights) + sum(p.numel() for p in net.parameters()))


def one_row(chosen: VerticalSpec) -> Inputs:
    features = chosen.model.resolve(SCHEMA)
    lengths = [feature.max_length or 1 for feature in features if feature.sparse]
    offsets = torch.cumsum(torch.tensor([0, *lengths]), 0)
    return Inputs(torch.zeros(sum(lengths), dtype=torch.int64), offsets, torch.zeros(1, len(features) - len(lengths)))


class Elementwise(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts element-wise operations by hand: one per output element, two for fused multiply-add, bias of addmm, five
    for softmax, seven for layer norm."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if name in ("relu", "relu_", "mul", "add", "sub", "addmm"):
            self.count += out.numel() * out.is_floating_point()  # arithmetic of places in tables is none of the model's
        elif name == "_softmax":
            self.count += 5 * out.numel()
        elif name == "native_layer_norm":
            self.count += 7 * out[0].numel()
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
    attended = {pair.sequence for pair in chosen.model.attention}
    with torch.no_grad():
        found = net.tables.parts(inputs) if net.attention is not None else net.tables(inputs)

        def serve() -> None:
            emb = net.attention(*found) if net.attention is not None else found
            net.serve(net.stand_on(emb, inputs.dense_bn))

        with FlopCounterMode(display=False) as matrix:
            serve()
        with Elementwise() as elementwise:
            serve()
    averaged = [f for f in chosen.model.resolve(SCHEMA) if f.name not in attended]
    pooling = sum(f.max_length * chosen.model.embedding_dim for f in averaged)
    assert cost.matrix_flops == matrix.get_total_flops()
    assert cost.elementwise_flops == elementwise.count + pooling
    assert serving_flops(chosen, SCHEMA) == cost.matrix_flops + cost.elementwise_flops


TEACHERS = [
    *(
        FoundationModel(SCHEMA.features, ("click", "like"), backbone, tenant_slots=9)
        for backbone in FOUNDATION_BACKBONES
    ),
    FoundationModel(SCHEMA.features, ("click",), "wukong", 8, (24, 8), layers=3, sequence_encoder="attention"),
    FoundationModel(SCHEMA.features[:4], ("click",), "wukong", 12, (24, 8), layers=1),
    FoundationModel(SCHEMA.features[:1], ("click",), "wukong", 8, (24, 8)),
    FoundationModel(SCHEMA.features, ("click",), "dlrm", 8, sequence_encoder="attention"),
]


@pytest.mark.parametrize("model", TEACHERS)
def test_foundation_costs_equal_the_built_models(model: FoundationModel) -> None:
    chosen = FoundationSpec(model)
    cost, net = foundation_cost(chosen), FoundationNet(chosen)
    assert foundation_parameters(chosen) == cost.parameters == weights(net)
    sparse = [feature for feature in model.features if feature.sparse]
    lengths = [*(feature.max_length or 1 for feature in sparse), 1]
    offsets = torch.cumsum(torch.tensor([0, *lengths]), 0)
    dense = torch.zeros(1, len(model.features) - len(sparse))
    inputs, slots = Inputs(torch.zeros(sum(lengths), dtype=torch.int64), offsets, dense), torch.tensor([1])
    with torch.no_grad(), FlopCounterMode(display=False) as matrix:
        net(inputs, slots)
    with torch.no_grad(), Elementwise() as elementwise:
        net(inputs, slots)
    averaged = 0 if model.sequence_encoder == "attention" else sum(f.max_length for f in sparse) * model.embedding_dim
    assert cost.matrix_flops == matrix.get_total_flops()
    assert cost.elementwise_flops == elementwise.count + averaged
    assert foundation_flops(chosen) == cost.matrix_flops + cost.elementwise_flops


def test_a_batch_s_memory_counts_experts_places_and_tasks() -> None:
    one = batch_bytes(spec("mmoe", EVERYTHING, experts=1), SCHEMA)
    assert batch_bytes(spec("mmoe", EVERYTHING, experts=8), SCHEMA) > 2 * one
    assert batch_bytes(spec("mmoe", EVERYTHING, experts=1, tasks=("click", "like", "buy")), SCHEMA) > one
    wide = spec("din", EVERYTHING, attention=(Attention("recent", "item", 1024),))
    assert batch_bytes(wide, SCHEMA) > batch_bytes(
        spec("din", EVERYTHING, attention=(Attention("recent", "item"),)), SCHEMA
    )


def test_supervision_costs_nothing_to_serve() -> None:
    shop = load("synthetic").tenants[0]
    plain = VerticalSpec(shop.vertical.model)
    assert serving_cost(shop.vertical, shop.schema) == serving_cost(plain, shop.schema)


def test_costs_never_load_torch() -> None:
    code = "import sys, exfm_core.cost; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
