"""What a model costs, without building it. Torch-free."""

from exfm_core.cost.serving import Cost, serving_cost, serving_flops, serving_parameters

__all__ = ["Cost", "serving_cost", "serving_flops", "serving_parameters"]
