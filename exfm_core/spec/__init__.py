"""Torch-free specs: frozen, validated when built, JSON in and out."""

from exfm_core.errors import SpecError
from exfm_core.spec.features import TRUE_PROBABILITY, Feature, StreamSchema, Task
from exfm_core.spec.model import BACKBONES, FoundationModel, FoundationSpec, VerticalModel, VerticalSpec
from exfm_core.spec.optimizer import Optimizer
from exfm_core.spec.supervision import MAX_PULL, PRESETS, Supervision

__all__ = [
    "BACKBONES",
    "MAX_PULL",
    "PRESETS",
    "TRUE_PROBABILITY",
    "Feature",
    "FoundationModel",
    "FoundationSpec",
    "Optimizer",
    "SpecError",
    "StreamSchema",
    "Supervision",
    "Task",
    "VerticalModel",
    "VerticalSpec",
]
