"""The architecture of the measurements, for contenders DeepFM: the MLP beside the factorisation machine's vector, one
head.

x = [MLP(e_1 … e_F), Σ_{i<j} e_i ⊙ e_j], logit = head(x) with one hidden layer. Standard library only.
"""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Shape:
    """Sizes of the model and of its batches. Learning rates: of the dense weights, and of the embeddings.
    Another `backbone` is for measurements without a peer."""

    mlp: tuple[int, ...]
    dim: int = 16
    head_width: int = 16
    batch_size: int = 4096
    dense_lr: float = 1e-3
    embedding_lr: float = 0.05
    backbone: str = "deepfm"

    def json(self) -> str:
        """For a command line."""
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, text: str) -> "Shape":
        """From `json`."""
        found = json.loads(text)
        return cls(**found | {"mlp": tuple(found["mlp"])})
