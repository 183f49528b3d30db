"""Torch-free specs: frozen, validated when built, JSON in and out."""

from exfm_core.errors import SpecError
from exfm_core.spec.features import TRUE_PROBABILITY, Feature, StreamSchema, Task
from exfm_core.spec.foundation import FoundationModel, FoundationSpec
from exfm_core.spec.ladder import SIZES, Size, ladder
from exfm_core.spec.optimizer import Optimizer
from exfm_core.spec.record import Record
from exfm_core.spec.shape import BACKBONES, FOUNDATION_BACKBONES, SCHEMA_VERSION, VerticalBackbone
from exfm_core.spec.supervision import MAX_PULL, PRESETS, Supervision
from exfm_core.spec.vertical import Attention, VerticalModel, VerticalSpec

__all__ = [
    "BACKBONES",
    "FOUNDATION_BACKBONES",
    "MAX_PULL",
    "PRESETS",
    "SCHEMA_VERSION",
    "SIZES",
    "TRUE_PROBABILITY",
    "Attention",
    "Feature",
    "FoundationModel",
    "FoundationSpec",
    "Optimizer",
    "Record",
    "Size",
    "SpecError",
    "StreamSchema",
    "Supervision",
    "Task",
    "VerticalBackbone",
    "VerticalModel",
    "VerticalSpec",
    "ladder",
]
