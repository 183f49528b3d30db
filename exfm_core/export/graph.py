"""The graph that serves: gather and sum over one table, then the training code's own dense layers.

No TorchRec, no EmbeddingBag: its ONNX form is a loop, a hundred times slower than gather and sum.
"""

from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from exfm_core.export.quantize import quantize_rows
from exfm_core.export.requests import DENSE, IDS, RequestEncoder, sequence_input
from exfm_core.export.serving import Served

LOGIT: Final = ".logit"


class Table(nn.Module):
    """One table of float32 rows, the last of them zeros."""

    def __init__(self, rows: np.ndarray) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.from_numpy(rows), requires_grad=False)

    def forward(self, ids: Tensor) -> Tensor:
        return F.embedding(ids, self.weight)


class Int8Table(nn.Module):
    """The same in 8 bits: gather rows and scales, then scale; only gathered rows ever become floats."""

    weight: Tensor
    scale: Tensor

    def __init__(self, rows: np.ndarray) -> None:
        super().__init__()
        quantized, scales = quantize_rows(rows)
        self.register_buffer("weight", torch.from_numpy(quantized))
        self.register_buffer("scale", torch.from_numpy(scales))

    def forward(self, ids: Tensor) -> Tensor:
        return F.embedding(ids, self.weight).to(torch.float32) * F.embedding(ids, self.scale)


class ServingGraph(nn.Module):
    """The inputs of `RequestEncoder`, in its order → probabilities, then logits, [B] each, one of both per task."""

    def __init__(self, served: Served, *, int8: bool = False) -> None:
        super().__init__()
        self.encoder = RequestEncoder(served.model, served.features)
        dim = served.model.embedding_dim
        weights = [weight.detach().numpy() for weight in served.net.tables.kernel.weights]
        rows = np.concatenate([*weights, np.zeros((1, dim), np.float32)])
        self.table: nn.Module = Int8Table(rows) if int8 else Table(rows)
        self.net = served.net
        self.tasks = served.model.tasks

    @property
    def output_names(self) -> tuple[str, ...]:
        """`<task>` (a probability) for every task, then `<task>.logit`."""
        return (*self.tasks, *(f"{task}{LOGIT}" for task in self.tasks))

    def forward(self, inputs: list[Tensor]) -> tuple[Tensor, ...]:
        named = dict(zip(self.encoder.input_names, inputs, strict=True))
        emb_bfd = self._pooled(named) if self.net.attention is None else self._attended(named)
        dense_bn = named[DENSE] if DENSE in named else emb_bfd.new_zeros((emb_bfd.shape[0], 0))
        logits = self.net.serve(self.net.stand_on(emb_bfd, dense_bn))
        return (*(torch.sigmoid(logit) for logit in logits), *logits)

    def _pooled(self, named: dict[str, Tensor]) -> Tensor:
        """Means of bags [B, F, D] in the model's order of features; an empty bag is zeros. Neighbouring features of one
        id a row stay together: one gather for all of them."""
        single = self.table(named[IDS]) if self.encoder.single else None
        parts, taken, first = [], 0, 0
        for feature in self.encoder.sparse:
            if feature.kind == "categorical":
                taken += 1
                continue
            if single is not None and taken > first:
                parts.append(single[:, first:taken])
            first = taken
            parts.append(self._mean(named[sequence_input(feature)]).unsqueeze(1))
        if single is not None and taken > first:
            parts.append(single[:, first:taken])
        return parts[0] if len(parts) == 1 else torch.cat(parts, 1)

    def _attended(self, named: dict[str, Tensor]) -> Tensor:
        """The same [B, F, D], where some sequences are weighed by their target instead of averaged."""
        single_bfd = self.table(named[IDS])
        parts: list[Tensor] = []
        masks: dict[int, Tensor] = {}
        for place, feature in enumerate(self.encoder.sparse):
            if feature.kind == "categorical":
                parts.append(single_bfd[:, self.encoder.single.index(feature)])
            elif feature.name in self.encoder.attended:
                ids_bl = named[sequence_input(feature)]
                parts.append(self.table(ids_bl))
                masks[place] = self._real(ids_bl)
            else:
                parts.append(self._mean(named[sequence_input(feature)]))
        assert self.net.attention is not None  # noqa: S101  for the type checker: `forward` has looked
        emb_bfd: Tensor = self.net.attention(parts, masks)
        return emb_bfd

    def _mean(self, ids_bl: Tensor) -> Tensor:
        mean: Tensor = self.table(ids_bl).sum(1) / self._real(ids_bl).sum(1, keepdim=True).clamp(min=1.0)
        return mean

    def _real(self, ids_bl: Tensor) -> Tensor:
        """1 where there is an id, 0 where there is padding."""
        return (ids_bl != self.encoder.padding).to(torch.float32)
