"""How dense values enter a model, in training and in serving alike. Torch-free."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def squash(dense: Floats) -> Floats:
    """sign(x)·log1p(|x|): counts and years become numbers that a network can start from; near 0 it is x itself."""
    return np.asarray(np.sign(dense) * np.log1p(np.abs(dense)), dtype=np.float32)
