"""The contender "EmbeddingBag": the loop anyone would write first, on data already in memory.

One `nn.EmbeddingBag(sparse=True)` per field with SparseAdam, Adam for the dense weights, tensors cut by slices.
"""

import argparse
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.dataset import LABEL, load
from bench.protocol import cost_of, serve
from bench.shape import Shape


class DeepFM(nn.Module):
    """The shape in plain torch. ids [B, F] → logits [B]."""

    def __init__(self, sizes: list[int], shape: Shape) -> None:
        super().__init__()
        self.bags = nn.ModuleList(nn.EmbeddingBag(size, shape.dim, mode="mean", sparse=True) for size in sizes)
        for bag in self.bags:
            nn.init.normal_(torch.as_tensor(bag.weight), std=0.01)
        widths = [len(sizes) * shape.dim, *shape.mlp]
        layers: list[nn.Module] = []
        for inputs, outputs in itertools.pairwise(widths):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        self.mlp = nn.Sequential(*layers)
        self.head = nn.Sequential(
            nn.Linear(widths[-1] + shape.dim, shape.head_width), nn.ReLU(), nn.Linear(shape.head_width, 1)
        )

    def forward(self, ids: Tensor) -> Tensor:
        emb = torch.stack([bag(ids[:, i : i + 1]) for i, bag in enumerate(self.bags)], 1)
        total = emb.sum(1)
        crossed = 0.5 * (total * total - (emb * emb).sum(1))
        return torch.as_tensor(self.head(torch.cat([self.mlp(emb.flatten(1)), crossed], 1)).squeeze(1))


def main() -> None:
    """Answer the driver."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("shape", type=Shape.of)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    dataset, shape = load(options.folder), options.shape
    with np.load(dataset.npz("train")) as found:
        ids = torch.from_numpy(np.column_stack([found[name] for name in dataset.fields]))
        labels = torch.from_numpy(found[LABEL])
    model = DeepFM(list(dataset.fields.values()), shape)
    sparse = torch.optim.SparseAdam(list(model.bags.parameters()), lr=1e-3)
    dense = torch.optim.Adam([*model.mlp.parameters(), *model.head.parameters()], lr=shape.dense_lr)

    def epoch() -> None:
        for start in range(0, len(labels), shape.batch_size):
            part = slice(start, start + shape.batch_size)
            loss = F.binary_cross_entropy_with_logits(model(ids[part]), labels[part])
            sparse.zero_grad()
            dense.zero_grad()
            torch.autograd.backward(loss)
            sparse.step()  # type: ignore[no-untyped-call]
            dense.step()

    def train() -> dict[str, Any]:
        spent = cost_of(epoch)
        return {"wall": spent.wall, "cpu": spent.cpu, "rows": len(labels)}

    serve(train=train)


if __name__ == "__main__":
    main()
