"""Eight bits: every weight within half a step of its row's scale."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from exfm_core.export.quantize import LEVELS, SMALLEST, dequantize_rows, quantize_rows

WEIGHTS = st.floats(-100, 100, width=32, allow_subnormal=False)


@settings(max_examples=60, deadline=None)
@example(np.full((1, 1), np.finfo(np.float32).tiny, np.float32))
@given(arrays(np.float32, array_shapes(min_dims=2, max_dims=2, max_side=12), elements=WEIGHTS))
def test_error_is_at_most_half_a_step(table: np.ndarray) -> None:
    quantized, scales = quantize_rows(table)
    largest = np.abs(table).max(axis=1, keepdims=True).astype(np.float64)
    bound = np.where(largest < SMALLEST, largest, largest / LEVELS / 2)
    error = np.abs(dequantize_rows(quantized, scales).astype(np.float64) - table)
    assert (error <= bound * (1 + 1e-4)).all()
    assert np.abs(quantized.astype(int)).max() <= LEVELS


def test_zero_rows_stay_zero_and_the_largest_weight_exact() -> None:
    table = np.array([[0, 0], [3, -127]], np.float32)
    quantized, scales = quantize_rows(table)
    np.testing.assert_array_equal(dequantize_rows(quantized, scales), table)
    assert quantized.dtype == np.int8 and scales.shape == (2, 1)
