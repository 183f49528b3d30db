"""The shared teacher: union features through the catalogue, one head per task kind, a bias per tenant."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from exfm_core.models.backbone import foundation_backbone
from exfm_core.models.embeddings import Backend, Tables
from exfm_core.models.inputs import Inputs
from exfm_core.models.layers import Head
from exfm_core.models.sequences import query_attention, query_bags
from exfm_core.spec import FoundationSpec

TENANT = "tenant"
"""The extra sparse feature: a row per tenant slot. Slot 0, the unseen tenant, is an empty bag."""
HEAD_WIDTH = 16


class FoundationNet(nn.Module):
    """Logits for every task kind. The last sparse feature is always `TENANT`."""

    def __init__(
        self, spec: FoundationSpec, backend: Backend = "fused", tables: Callable[..., Tables] | None = None
    ) -> None:
        """`tables`: maker of another kind of tables than `backend`'s, called as `Tables` is."""
        super().__init__()
        model = spec.model
        generator = torch.Generator().manual_seed(spec.seed)
        sparse = {feature.name: feature.buckets for feature in model.features if feature.sparse}
        sparse[TENANT] = model.tenant_slots
        dense = sum(not feature.sparse for feature in model.features)
        make_tables = tables or partial(Tables, backend=backend)
        bags = query_bags(model, tuple(sparse))
        more = {"bags": bags} if bags else {}
        self.tables = make_tables(sparse, model.embedding_dim, spec.optimizer.embedding_lr, generator, **more)
        self.tables.manage(model.features, spec.seed)
        self.attention = query_attention(model) if bags else None
        self.backbone = foundation_backbone(model, len(sparse), dense, generator)
        self.heads = nn.ModuleList(Head(self.backbone.width, HEAD_WIDTH, generator) for _ in model.task_kinds)
        self.tenant_bias = nn.Parameter(torch.zeros(model.tenant_slots, len(model.task_kinds)))

    def forward(self, inputs: Inputs, slots_b: Tensor, *, checked: bool = False) -> Tensor:
        """Logits [B, K] in the order of `task_kinds`. `slots_b` int64 [B]: tenant slots, 0 = unseen."""
        if self.attention is None:
            emb_bfd = self.tables(inputs, checked=checked)
        else:
            emb_bfd = self.attention(*self.tables.parts(inputs, checked=checked))
        x = self.backbone(emb_bfd, inputs.dense_bn)
        logits_bk = torch.stack([head(x) for head in self.heads], 1)
        seen = (slots_b > 0).unsqueeze(1)
        return logits_bk + self.tenant_bias[slots_b] * seen
