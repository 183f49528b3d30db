"""Tables in 8 bits: symmetric, one scale per row. Torch-free.

q = round(w / scale) in −127..127 with scale = max|w| / 127 of its row, so that |w − scale·q| ≤ scale / 2: relative to
the row's largest weight at most 1/254. A row of zeros has scale 0 and stays exact. A row whose weights are all below
127 × the smallest normal number (1.5e-36) becomes zeros: threads that flush smaller scales to zero, as FBGEMM's import
makes them, and threads that do not must agree. A mean of rows errs by at most the mean of their bounds.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

LEVELS: Final = 127
SMALLEST: Final = np.float32(LEVELS) * np.finfo(np.float32).tiny

Table = npt.NDArray[np.float32]


def quantize_rows(table: Table) -> tuple[npt.NDArray[np.int8], Table]:
    """[rows, D] float32 → int8 [rows, D] and scales float32 [rows, 1]."""
    largest = np.abs(table).max(axis=1, keepdims=True, initial=0.0)
    scales = np.where(largest < SMALLEST, np.float32(0), largest / np.float32(LEVELS)).astype(np.float32)
    steps = np.divide(table, scales, out=np.zeros_like(table), where=scales > 0)
    return np.clip(np.rint(steps), -LEVELS, LEVELS).astype(np.int8), scales


def dequantize_rows(quantized: npt.NDArray[np.int8], scales: Table) -> Table:
    """What the graph computes for the rows it gathers."""
    return quantized.astype(np.float32) * scales
