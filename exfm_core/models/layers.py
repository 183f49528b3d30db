"""Dense layers whose initial weights come from a generator that is passed in, never from global state."""

import itertools
import math

import torch
from torch import Tensor, nn


def linear(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    """`nn.Linear` with weights and bias uniform in ±1/√inputs."""
    layer = nn.Linear(inputs, outputs, device="meta").to_empty(device="cpu")
    bound = 1.0 / math.sqrt(inputs)
    nn.init.uniform_(layer.weight, -bound, bound, generator)
    nn.init.uniform_(layer.bias, -bound, bound, generator)
    return layer


class Mlp(nn.Module):
    """Hidden layers, each with a ReLU after it, the last one too. [B, inputs] → [B, widths[-1]]."""

    def __init__(self, inputs: int, widths: tuple[int, ...], generator: torch.Generator) -> None:
        super().__init__()
        self.layers = nn.ModuleList(linear(a, b, generator) for a, b in itertools.pairwise((inputs, *widths)))

    def forward(self, h: Tensor) -> Tensor:
        for layer in self.layers:
            h = torch.relu_(layer(h))
        return h


class Head(nn.Module):
    """One hidden layer and a logit. [B, inputs] → [B]."""

    def __init__(self, inputs: int, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.hidden = linear(inputs, width, generator)
        self.logit = linear(width, 1, generator)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.logit(torch.relu_(self.hidden(x))).squeeze(1)
        return logits
