"""The representation that a model's heads share, from its features' vectors and its dense features."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from exfm_core.models.experts import MixtureBackbone
from exfm_core.models.interactions import CrossLayer, dot_pairs, factorisation_machine, flat, pairwise_dots
from exfm_core.models.layers import Mlp, linear
from exfm_core.models.stacked import StackedBackbone
from exfm_core.spec import FoundationModel, VerticalModel


class CrossBackbone(nn.Module):
    """Stacked DCN-V2: cross layers, then the MLP."""

    def __init__(self, fields: int, dim: int, dense: int, mlp: tuple[int, ...], cross: int, g: torch.Generator) -> None:
        super().__init__()
        inputs = fields * dim + dense
        self.cross = nn.ModuleList(CrossLayer(inputs, g) for _ in range(cross))
        self.mlp = Mlp(inputs, mlp, g)
        self.width = mlp[-1]

    def forward(self, emb_bfd: Tensor, dense_bn: Tensor) -> Tensor:
        x0 = flat(emb_bfd, dense_bn)
        x = x0
        for layer in self.cross:
            x = layer(x0, x)
        return torch.as_tensor(self.mlp(x))


class DotBackbone(nn.Module):
    """DLRM: the dense features become one more vector; all pairwise dots and that vector feed the MLP."""

    pairs: Tensor

    def __init__(self, fields: int, dim: int, dense: int, mlp: tuple[int, ...], g: torch.Generator) -> None:
        super().__init__()
        vectors = fields + (1 if dense else 0)
        self.bottom = linear(dense, dim, g) if dense else None
        self.register_buffer("pairs", dot_pairs(vectors), persistent=False)
        self.mlp = Mlp(len(self.pairs) + (dim if dense else 0), mlp, g)
        self.width = mlp[-1]

    def forward(self, emb_bfd: Tensor, dense_bn: Tensor) -> Tensor:
        if self.bottom is None:
            h = pairwise_dots(emb_bfd, self.pairs)
        else:
            bottom = torch.relu(self.bottom(dense_bn))
            dots = pairwise_dots(torch.cat([emb_bfd, bottom.unsqueeze(1)], 1), self.pairs)
            h = torch.cat([dots, bottom], 1)
        x: Tensor = self.mlp(h)
        return x


class FactorisationBackbone(nn.Module):
    """DeepFM: the MLP beside the factorisation machine's vector."""

    def __init__(self, fields: int, dim: int, dense: int, mlp: tuple[int, ...], g: torch.Generator) -> None:
        super().__init__()
        self.mlp = Mlp(fields * dim + dense, mlp, g)
        self.width = mlp[-1] + dim

    def forward(self, emb_bfd: Tensor, dense_bn: Tensor) -> Tensor:
        return torch.cat([self.mlp(flat(emb_bfd, dense_bn)), factorisation_machine(emb_bfd)], 1)


class PlainBackbone(nn.Module):
    """DIN above its attention: the MLP over all vectors, the attended sequences among them."""

    def __init__(self, fields: int, dim: int, dense: int, mlp: tuple[int, ...], g: torch.Generator) -> None:
        super().__init__()
        self.mlp = Mlp(fields * dim + dense, mlp, g)
        self.width = mlp[-1]

    def forward(self, emb_bfd: Tensor, dense_bn: Tensor) -> Tensor:
        x: Tensor = self.mlp(flat(emb_bfd, dense_bn))
        return x


Backbone = CrossBackbone | DotBackbone | FactorisationBackbone | PlainBackbone | MixtureBackbone | StackedBackbone
"""[B, F, D] vectors and [B, n] dense features → x [B, width]; a mixture gives [B, tasks, width]."""


def vertical_backbone(model: VerticalModel, fields: int, dense: int, g: torch.Generator) -> Backbone:
    """The backbone of a vertical model over `fields` vectors and `dense` dense features."""
    dim, mlp = model.embedding_dim, model.mlp
    makers: dict[str, Callable[[], Backbone]] = {
        "mmoe": lambda: MixtureBackbone(fields * dim + dense, mlp, model.experts, len(model.tasks), g),
        "din": lambda: PlainBackbone(fields, dim, dense, mlp, g),
    }
    return makers.get(model.backbone, lambda: _shared(model, fields, dense, g))()


def foundation_backbone(model: FoundationModel, fields: int, dense: int, g: torch.Generator) -> Backbone:
    """The backbone of a foundation model over `fields` vectors, the tenant's among them, and its dense features."""
    if model.backbone == "wukong":
        return StackedBackbone(fields, model.embedding_dim, dense, model.mlp, model.layers, g)
    return _shared(model, fields, dense, g)


def _shared(model: VerticalModel | FoundationModel, fields: int, dense: int, g: torch.Generator) -> Backbone:
    """The backbones that both kinds of model may have."""
    dim, mlp = model.embedding_dim, model.mlp
    if model.backbone == "dcnv2":
        return CrossBackbone(fields, dim, dense, mlp, model.cross_layers, g)
    if model.backbone == "dlrm":
        return DotBackbone(fields, dim, dense, mlp, g)
    return FactorisationBackbone(fields, dim, dense, mlp, g)
