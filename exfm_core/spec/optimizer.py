"""Optimiser settings: Adam for dense weights, row-wise Adagrad for embedding rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from exfm_core.errors import SpecError
from exfm_core.spec.record import Range, Record

IGNORED_ON_CPU = ("weight_decay", "max_norm")
"""What FBGEMM's fused CPU kernels take and then ignore without a word (measured)."""


@dataclass(frozen=True, slots=True)
class Optimizer(Record):
    """``batch_size`` rows per step; ``dense_lr`` for Adam; ``embedding_lr`` for row-wise Adagrad.

    Weight decay and row-norm limits are not offered, because the fused embedding kernels would ignore them.
    """

    batch_size: Annotated[int, Range(1, 131072), "Rows per step"] = 128
    dense_lr: Annotated[float, Range(0.0, 1.0, open_low=True), "Adam's learning rate"] = 4e-3
    embedding_lr: Annotated[float, Range(0.0, 10.0, open_low=True), "Row-wise Adagrad's learning rate"] = 0.1

    def __post_init__(self) -> None:
        self.check_ranges()

    @classmethod
    def _of_today(cls, data: Mapping[str, Any], path: str) -> Mapping[str, Any]:
        asked = [name for name in IGNORED_ON_CPU if name in data]
        if asked:
            raise SpecError(
                "spec.ignored_by_kernels",
                f"{path} asks for {' and '.join(asked)}, which the fused embedding kernels ignore silently on CPU.",
                f"Leave {' and '.join(asked)} out: a model would train as if it were not there.",
            )
        return data
