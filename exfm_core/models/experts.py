"""Multi-gate mixture of experts (MMoE, Ma et al., KDD 2018): tasks share experts and weigh them each in its own way."""

import torch
from torch import Tensor, nn

from exfm_core.models.interactions import flat
from exfm_core.models.layers import Mlp, linear


class MixtureBackbone(nn.Module):
    """x_t = Σ_e softmax(G_t h)_e · expert_e(h), h the flat inputs. Experts are MLPs of the same widths."""

    def __init__(self, inputs: int, mlp: tuple[int, ...], experts: int, tasks: int, g: torch.Generator) -> None:
        super().__init__()
        self.experts = nn.ModuleList(Mlp(inputs, mlp, g) for _ in range(experts))
        self.gates = nn.ModuleList(linear(inputs, experts, g) for _ in range(tasks))
        self.width = mlp[-1]

    def forward(self, emb_bfd: Tensor, dense_bn: Tensor) -> Tensor:
        """[B, tasks, width]."""
        h = flat(emb_bfd, dense_bn)
        known_bew = torch.stack([expert(h) for expert in self.experts], 1)
        shares_bte = torch.softmax(torch.stack([gate(h) for gate in self.gates], 1), 2)
        return torch.bmm(shares_bte, known_bew)
