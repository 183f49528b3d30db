"""What a spec costs to serve, exactly, before anything is built. Torch-free."""

from exfm_core.cost.serving import (
    ServingCost,
    foundation_parameters,
    serving_cost,
    serving_flops,
    serving_parameters,
)
from exfm_core.cost.shapes import BackboneCost, backbone_cost
from exfm_core.cost.training import batch_bytes

__all__ = [
    "BackboneCost",
    "ServingCost",
    "backbone_cost",
    "batch_bytes",
    "foundation_parameters",
    "serving_cost",
    "serving_flops",
    "serving_parameters",
]
