"""What a model reads for one batch."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(slots=True)
class Inputs:
    """A batch of B rows with F sparse and n dense features, in the model's own feature order.

    `indices` int64 [nnz]: embedding rows, feature-major (all bags of feature 0, then of feature 1 …), each already
    inside its table. `offsets` int64 [F·B + 1]: where each bag starts. `dense_bn` float32 [B, n]. `mapped`: managed
    features hold rows already, no longer ids.
    """

    indices: Tensor
    offsets: Tensor
    dense_bn: Tensor
    mapped: bool = False

    @property
    def rows(self) -> int:
        """B."""
        return int(self.dense_bn.shape[0])
