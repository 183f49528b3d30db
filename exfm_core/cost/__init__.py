"""What a spec costs, exactly, before anything is built. Torch-free."""

from exfm_core.cost.backbones import backbone_cost
from exfm_core.cost.serving import (
    ModelCost,
    foundation_cost,
    foundation_flops,
    foundation_parameters,
    serving_cost,
    serving_flops,
    serving_parameters,
)
from exfm_core.cost.shapes import BackboneCost
from exfm_core.cost.training import batch_bytes

__all__ = [
    "BackboneCost",
    "ModelCost",
    "backbone_cost",
    "batch_bytes",
    "foundation_cost",
    "foundation_flops",
    "foundation_parameters",
    "serving_cost",
    "serving_flops",
    "serving_parameters",
]
