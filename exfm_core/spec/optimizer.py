"""Optimiser settings: Adam for dense weights, row-wise Adagrad for embedding rows.

Weight decay and row-norm limits are not offered: the fused embedding kernels ignore them silently on CPU.
"""

from __future__ import annotations

from dataclasses import dataclass

from exfm_core.spec.record import Record, check_float, check_int


@dataclass(frozen=True, slots=True)
class Optimizer(Record):
    """``batch_size`` rows per step; ``dense_lr`` for Adam; ``embedding_lr`` for row-wise Adagrad."""

    batch_size: int = 128
    dense_lr: float = 4e-3
    embedding_lr: float = 0.1

    def __post_init__(self) -> None:
        check_int(self.batch_size, "Optimizer.batch_size", 1, 131072)
        check_float(self.dense_lr, "Optimizer.dense_lr", 0.0, 1.0, open_low=True)
        check_float(self.embedding_lr, "Optimizer.embedding_lr", 0.0, 10.0, open_low=True)
