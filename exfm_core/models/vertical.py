"""A tenant's compact model: tables, backbone, serving heads, and what is attached to it while it learns."""

import torch
from torch import Tensor, nn

from exfm_core.models.backbone import vertical_backbone
from exfm_core.models.embeddings import Backend, Tables
from exfm_core.models.inputs import Inputs
from exfm_core.models.layers import Head
from exfm_core.models.sequences import attended_bags, target_attention
from exfm_core.spec import StreamSchema, VerticalSpec

AUXILIARY_STREAM = 0x5AFE
"""Added to the seed for the generator of what is never served, so that it cannot move the served weights."""


class VerticalNet(nn.Module):
    """What is served: s_t = φ_t(x_t) per task, x = backbone(tables(inputs)). Its weights come from `spec.seed` alone.

    The primary task's head is `serving`, the heads of further tasks stand in `further`; `heads` has all, in the order
    of the tasks. One task makes one head, whose weights are those of a model that knows no other.
    """

    def __init__(self, spec: VerticalSpec, schema: StreamSchema, backend: Backend = "fused") -> None:
        super().__init__()
        features = spec.model.resolve(schema)
        model, sparse = spec.model, [feature for feature in features if feature.sparse]
        generator = torch.Generator().manual_seed(spec.seed)
        bags = attended_bags(model, sparse)
        rows = {
            feature.name: feature.buckets
            for feature in sparse
            if bags is None or bags[feature.name].table == feature.name
        }
        self.tables = Tables(rows, model.embedding_dim, spec.optimizer.embedding_lr, generator, backend, bags)
        self.tables.manage(features, spec.seed)
        self.attention = target_attention(model, sparse, generator) if model.attention else None
        self.backbone = vertical_backbone(model, len(sparse), len(features) - len(sparse), generator)
        heads = [Head(self.backbone.width, model.head_width, generator) for _ in model.tasks]
        self.serving, self.further = heads[0], nn.ModuleList(heads[1:])
        self.tasks = model.tasks
        self._own = model.backbone == "mmoe"

    @property
    def heads(self) -> tuple[nn.Module, ...]:
        """The serving heads in the order of the tasks."""
        return (self.serving, *self.further)

    def represent(self, inputs: Inputs, *, checked: bool = False) -> tuple[Tensor, ...]:
        """x_t [B, width] per task, in the order of the tasks; one and the same tensor for all unless the backbone has
        a representation per task."""
        if self.attention is None:
            emb_bfd = self.tables(inputs, checked=checked)
        else:
            emb_bfd = self.attention(*self.tables.parts(inputs, checked=checked))
        return self.stand_on(emb_bfd, inputs.dense_bn)

    def stand_on(self, emb_bfd: Tensor, dense_bn: Tensor) -> tuple[Tensor, ...]:
        """x_t [B, width] per task, from one vector per sparse feature, attended sequences among them."""
        x = self.backbone(emb_bfd, dense_bn)
        return x.unbind(1) if self._own else (x,) * len(self.tasks)

    def serve(self, xs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Serving logits s_t [B] per task."""
        return tuple(head(x) for head, x in zip(self.heads, xs, strict=True))

    def forward(self, inputs: Inputs) -> Tensor:
        """The primary task's serving logits s [B]."""
        logits: Tensor = self.serving(self.represent(inputs)[0])
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
