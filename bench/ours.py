"""The contender "exfm": this project's own trainer on a Parquet partition. `python -m bench.ours FOLDER SHAPE`."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.dataset import load
from bench.protocol import cost_of, serve
from bench.shape import Shape
from exfm_core.data.encode import blocks
from exfm_core.data.partitions import Source
from exfm_core.spec import Optimizer, StreamSchema, VerticalModel, VerticalSpec
from exfm_core.train.rows import Cutter, Rows, spans
from exfm_core.train.runtime import configure
from exfm_core.train.vertical import VerticalTrainer


def spec_of(shape: Shape, schema: StreamSchema, seed: int = 0) -> VerticalSpec:
    """The shape as a spec of this project."""
    model = VerticalModel(
        features=tuple(feature.name for feature in schema.features),
        tasks=("click",),
        backbone=shape.backbone,  # type: ignore[arg-type]
        embedding_dim=shape.dim,
        mlp=shape.mlp,
        head_width=shape.head_width,
    )
    return VerticalSpec(model, Optimizer(shape.batch_size, shape.dense_lr, shape.embedding_lr), seed=seed)


def predict(trainer: VerticalTrainer, source: Source) -> np.ndarray:
    """Serving logits of the control arm as it stands, over a whole file."""
    net, parts = trainer.students["control"].net, []
    with torch.no_grad():
        for block in blocks(source, trainer.layout, 4096):
            cutter = Cutter(Rows.of(block))
            parts += [net(cutter.inputs(start, stop)).numpy() for start, stop in spans(block.rows, 4096)]
    return np.concatenate(parts).reshape(-1)


def main() -> None:
    """Answer the driver."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("shape", type=Shape.of)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    configure(options.threads)
    dataset = load(options.folder)
    spec = spec_of(options.shape, dataset.schema, options.seed)
    trainer = VerticalTrainer(spec, dataset.schema, ("control",))

    def train() -> dict[str, Any]:
        rows = dataset.splits["train"]
        spent = cost_of(lambda: trainer.train(dataset.parquet("train"), rows, None, True))
        return {"wall": spent.wall, "cpu": spent.cpu, "rows": rows}

    def evaluate(split: str, into: str) -> dict[str, Any]:
        np.save(into, predict(trainer, dataset.parquet(split)))
        return {}

    def parameters() -> dict[str, Any]:
        net = trainer.students["control"].net
        weights = [*net.parameters(), *net.tables.kernel.weights]
        return {"parameters": sum(weight.numel() for weight in weights)}

    serve(train=train, evaluate=evaluate, parameters=parameters)


if __name__ == "__main__":
    main()
