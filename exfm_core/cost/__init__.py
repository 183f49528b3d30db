"""What a spec costs to serve, exactly, before anything is built. Torch-free."""

from exfm_core.cost.serving import (
    ServingCost,
    foundation_parameters,
    serving_cost,
    serving_flops,
    serving_parameters,
)
from exfm_core.cost.shapes import BackboneCost, backbone_cost

__all__ = [
    "BackboneCost",
    "ServingCost",
    "backbone_cost",
    "foundation_parameters",
    "serving_cost",
    "serving_flops",
    "serving_parameters",
]
