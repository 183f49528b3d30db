"""Predicts from a serving file with plain tensors: gather and sum over one offset table, then the dense layers.

No TorchRec, no KeyedJaggedTensor, whose book-keeping costs more than a small model's whole forward pass.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from exfm_core.data.hashing import embedding_rows
from exfm_core.errors import DataError
from exfm_core.export.serving import KIND
from exfm_core.models.backbone import BACKBONES
from exfm_core.models.layers import Head
from exfm_core.spec import Feature, VerticalModel
from exfm_core.train.rows import squash
from exfm_core.train.tensors import copy_into, unpack

Column = npt.ArrayLike | list[list[int]]


class ServingGraph(nn.Module):
    """ids int64 [B, F, L] of rows in the one table (the last row is zeros: padding), counts float32 [B, F] of real
    ids per bag, dense float32 [B, n] squashed → logits [B]."""

    def __init__(self, model: VerticalModel, features: tuple[Feature, ...]) -> None:
        super().__init__()
        sparse = [feature for feature in features if feature.sparse]
        rows = sum(feature.buckets for feature in sparse)
        generator = torch.Generator()
        self.weight = nn.Parameter(torch.zeros(rows + 1, model.embedding_dim), requires_grad=False)
        dense = len(features) - len(sparse)
        make = BACKBONES[model.backbone]
        self.backbone = make(len(sparse), model.embedding_dim, dense, model.mlp, model.cross_layers, generator)
        self.serving = Head(self.backbone.width, model.head_width, generator)

    def forward(self, ids_bfl: Tensor, counts_bf: Tensor, dense_bn: Tensor) -> Tensor:
        emb_bfd = nn.functional.embedding(ids_bfl, self.weight).sum(2) / counts_bf.clamp(min=1.0).unsqueeze(2)
        logits: Tensor = self.serving(self.backbone(emb_bfd, dense_bn))
        return logits


class Predictor:
    """Probabilities for raw columns, as the stream's schema names them."""

    def __init__(self, data: bytes) -> None:
        """`data`: a serving file. Raises CheckpointError."""
        record, tensors = unpack(data, KIND)
        self.model = VerticalModel.from_json(record["model"])
        by_name = {body["name"]: Feature.from_json(body) for body in record["features"]}
        self.features = tuple(by_name[name] for name in self.model.features)
        self._sparse = [feature for feature in self.features if feature.sparse]
        self._dense = [feature for feature in self.features if not feature.sparse]
        self.graph = ServingGraph(self.model, self.features)
        self._starts = np.cumsum([0, *(feature.buckets for feature in self._sparse)])
        tables = {
            f"{feature.name}.weight": self.graph.weight[start : start + feature.buckets]
            for feature, start in zip(self._sparse, self._starts, strict=False)
        }
        copy_into(tables, tensors, "tables.")
        dense = {name: value for name, value in self.graph.named_parameters() if name != "weight"}
        copy_into(dense, tensors, "net.")
        self.graph.eval()

    def predict(self, columns: Mapping[str, Column]) -> npt.NDArray[np.float32]:
        """σ(s) [B]. Raises DataError where a column is missing or an unhashed id is out of range."""
        with torch.inference_mode():
            return np.asarray(torch.sigmoid(self.graph(*self.inputs(columns))))

    def inputs(self, columns: Mapping[str, Column]) -> tuple[Tensor, Tensor, Tensor]:
        """What the graph takes for raw columns."""
        missing = [feature.name for feature in self.features if feature.name not in columns]
        if missing:
            raise DataError("serving.missing_column", f"The request lacks {', '.join(missing)}.", "Send every feature.")
        bags = [_bags(columns[feature.name], feature) for feature in self._sparse]
        rows = len(bags[0])
        longest = max([1, *(len(bag) for column in bags for bag in column)])
        padding = int(self._starts[-1])
        ids = np.full((rows, len(bags), longest), padding, np.int64)
        counts = np.zeros((rows, len(bags)), np.float32)
        for f, (feature, column) in enumerate(zip(self._sparse, bags, strict=True)):
            for b, bag in enumerate(column):
                ids[b, f, : len(bag)] = _rows(bag, feature) + self._starts[f]
                counts[b, f] = len(bag)
        dense = np.zeros((rows, len(self._dense)), np.float32)
        for n, feature in enumerate(self._dense):
            dense[:, n] = np.asarray(columns[feature.name], dtype=np.float32)
        return torch.from_numpy(ids), torch.from_numpy(counts), torch.from_numpy(squash(dense))

    def describe(self) -> dict[str, Any]:
        """What is served: the model's spec and its number of parameters, the padding row not counted."""
        parameters = sum(weight.numel() for weight in self.graph.parameters()) - self.model.embedding_dim
        return {"model": dataclasses.asdict(self.model), "parameters": parameters}


def _bags(column: Column, feature: Feature) -> list[npt.NDArray[np.int64]]:
    if feature.kind == "sequence":
        return [np.asarray(bag, dtype=np.int64) for bag in column]  # type: ignore[union-attr]
    return list(np.asarray(column, dtype=np.int64).reshape(-1, 1))


def _rows(bag: npt.NDArray[np.int64], feature: Feature) -> npt.NDArray[np.int64]:
    if not feature.hashed and bag.size and not (bag.min() >= 0 and bag.max() < feature.buckets):
        raise DataError(
            "serving.id_out_of_range",
            f"Feature {feature.name!r} got an id outside 0..{feature.buckets - 1}.",
            "Send ids as the stream's schema declares them.",
        )
    return embedding_rows(bag, feature.buckets, feature.hashed)
