"""A tenant's compact model: tables, backbone, serving head, and what is attached to it while it learns."""

import torch
from torch import Tensor, nn

from exfm_core.models.backbone import BACKBONES
from exfm_core.models.embeddings import Backend, Tables
from exfm_core.models.inputs import Inputs
from exfm_core.models.layers import Head
from exfm_core.spec import StreamSchema, VerticalSpec

AUXILIARY_STREAM = 0x5AFE
"""Added to the seed for the generator of what is never served, so that it cannot move the served weights."""


class VerticalNet(nn.Module):
    """What is served: s = φ(x), x = backbone(tables(inputs)). Its weights are drawn from `spec.seed` alone."""

    def __init__(self, spec: VerticalSpec, schema: StreamSchema, backend: Backend = "fused") -> None:
        super().__init__()
        features = spec.model.resolve(schema)
        sparse = {feature.name: feature.buckets for feature in features if feature.sparse}
        dense = sum(not feature.sparse for feature in features)
        model = spec.model
        generator = torch.Generator().manual_seed(spec.seed)
        self.tables = Tables(sparse, model.embedding_dim, spec.optimizer.embedding_lr, generator, backend)
        make = BACKBONES[model.backbone]
        self.backbone = make(len(sparse), model.embedding_dim, dense, model.mlp, model.cross_layers, generator)
        self.serving = Head(self.backbone.width, model.head_width, generator)

    def represent(self, inputs: Inputs, *, checked: bool = False) -> Tensor:
        """x [B, width]."""
        x: Tensor = self.backbone(self.tables(inputs, checked=checked), inputs.dense_bn)
        return x

    def forward(self, inputs: Inputs) -> Tensor:
        """Serving logits s [B]."""
        logits: Tensor = self.serving(self.represent(inputs))
        return logits


class AuxiliaryHeads(nn.Module):
    """AH `d` (reads the teacher's label) and SA head `d2` (reads the adapter's); both hang on x, neither is served."""

    def __init__(self, width: int, hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        self.d = Head(width, hidden, generator)
        self.d2 = Head(width, hidden, generator)


def auxiliary_generator(seed: int) -> torch.Generator:
    """The generator of AH and SA weights, apart from the served weights' one."""
    return torch.Generator().manual_seed((seed << 16) + AUXILIARY_STREAM)
