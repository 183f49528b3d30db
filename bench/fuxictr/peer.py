"""The contender "FuxiCTR", run in its own environment: `python -m bench.fuxictr.peer FOLDER SHAPE`.

Its layers, its `BaseModel` (training loop, gradient clipping at 10, Adam over all weights, 1e-3) and its loaders. The
wheel holds no DeepFM: `same` is this project's shape out of its layers, `own` its repository's DeepFM (linear term,
factorisation machine and MLP added up). Standard library and FuxiCTR only: this project is not installed there.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fuxictr.features import FeatureMap
from fuxictr.pytorch.dataloaders import RankDataLoader
from fuxictr.pytorch.layers import FactorizationMachine, FeatureEmbedding, InnerProductInteraction, MLP_Block
from fuxictr.pytorch.models import BaseModel
from fuxictr.pytorch.torch_utils import seed_everything

from bench.protocol import cost_of, serve
from bench.shape import Shape

LABEL = "label"
LEARNING_RATE = 1e-3
"""The default of its model zoo's configurations."""


class Peer(BaseModel):
    """What both variants share: compiled as the zoo's models are."""

    def finish(self, rate: float) -> None:
        self.compile("adam", "binary_crossentropy", rate)
        self.reset_parameters()
        self.model_to_device()
        self._max_gradient_norm, self._eval_steps, self._stop_training = 10.0, 10**9, False
        self._total_steps = self._batch_index = self._epoch_index = 0


class SameShape(Peer):
    """DeepFM as this project builds it."""

    def __init__(self, features: FeatureMap, shape: Shape, rate: float, **options: Any) -> None:
        super().__init__(features, **options)
        self.embedding_layer = FeatureEmbedding(features, shape.dim)
        self.mlp = MLP_Block(features.num_fields * shape.dim, list(shape.mlp))
        self.crossed = InnerProductInteraction(features.num_fields, output="bi_interaction")
        self.head = MLP_Block(shape.mlp[-1] + shape.dim, [shape.head_width], output_dim=1)
        self.finish(rate)

    def forward(self, inputs: Any) -> dict[str, torch.Tensor]:
        emb = self.embedding_layer(self.get_inputs(inputs))
        x = torch.cat([self.mlp(emb.flatten(start_dim=1)), self.crossed(emb)], dim=-1)
        return {"y_pred": self.output_activation(self.head(x))}


class OwnShape(Peer):
    """DeepFM as FuxiCTR's repository builds it."""

    def __init__(self, features: FeatureMap, shape: Shape, rate: float, **options: Any) -> None:
        super().__init__(features, **options)
        self.embedding_layer = FeatureEmbedding(features, shape.dim)
        self.fm = FactorizationMachine(features)
        self.mlp = MLP_Block(features.num_fields * shape.dim, list(shape.mlp), output_dim=1)
        self.finish(rate)

    def forward(self, inputs: Any) -> dict[str, torch.Tensor]:
        x = self.get_inputs(inputs)
        emb = self.embedding_layer(x)
        return {"y_pred": self.output_activation(self.fm(x, emb) + self.mlp(emb.flatten(start_dim=1)))}


def feature_map(fields: dict[str, int], folder: Path, dim: int) -> FeatureMap:
    """Its description of the fields."""
    found = FeatureMap("bench", str(folder))
    found.features.update(
        {name: {"source": "", "type": "categorical", "vocab_size": size} for name, size in fields.items()}
    )
    found.labels, found.num_fields, found.total_features = [LABEL], len(fields), sum(fields.values())
    found.default_emb_dim = dim
    found.set_column_index()
    return found


def main() -> None:
    """Answer the driver."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("shape", type=Shape.of)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--variant", choices=("same", "own"), default="same")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=LEARNING_RATE)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    seed_everything(options.seed)
    found, shape = json.loads((options.folder / "dataset.json").read_text()), options.shape
    features = feature_map(found["fields"], options.folder, shape.dim)
    make = SameShape if options.variant == "same" else OwnShape
    model = make(
        features, shape, options.rate, verbose=0, metrics=["AUC", "logloss"], model_root=tempfile.mkdtemp(), gpu=-1
    )
    loaders: dict[tuple[str, str, int, bool], Any] = {}

    def loader(split: str, kind: str, workers: int, shuffle: bool) -> Any:
        if (split, kind, workers, shuffle) not in loaders:
            path = str(options.folder / f"{split}.{kind}")
            arguments = {"batch_size": shape.batch_size, "shuffle": shuffle, "num_workers": workers}
            stage = "train" if split == "train" else "test"
            made = RankDataLoader(features, stage, **{f"{stage}_data": path}, data_format=kind, **arguments)
            loaders[split, kind, workers, shuffle] = made[0] if stage == "train" else made
        return loaders[split, kind, workers, shuffle]

    def train(kind: str, workers: int, shuffle: bool = False) -> dict[str, Any]:
        batches = loader("train", kind, workers, shuffle)
        spent = cost_of(lambda: model.train_epoch(batches))
        return {"wall": spent.wall, "cpu": spent.cpu, "rows": found["splits"]["train"]}

    def evaluate(split: str, into: str) -> dict[str, Any]:
        probability = model.predict(loader(split, "npz", 1, False)).clip(1e-7, 1 - 1e-7)
        np.save(into, np.log(probability / (1 - probability)))
        return {}

    def parameters() -> dict[str, Any]:
        return {"parameters": sum(p.numel() for p in model.parameters())}

    serve(train=train, evaluate=evaluate, parameters=parameters)


if __name__ == "__main__":
    main()
