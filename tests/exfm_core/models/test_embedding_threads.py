"""The fused kernel's operators, called one by one: the same bits as FBGEMM's own pair, whatever the threads."""

import pytest
import torch

from exfm_core.models.embeddings import EPS, Tables, _FusedKernel
from exfm_core.models.inputs import Inputs

ROWS = {"a": 50, "b": 9}
RATE = 0.1


def batch(seed: int, rows: int) -> Inputs:
    g = torch.Generator().manual_seed(seed)
    lengths = torch.randint(0, 4, (2 * rows,), generator=g)
    offsets = torch.cat([torch.zeros(1, dtype=torch.int64), lengths.cumsum(0)])
    first = int(offsets[rows])
    ids = [torch.randint(0, size, (n,), generator=g) for size, n in ((50, first), (9, int(offsets[-1]) - first))]
    return Inputs(torch.cat(ids), offsets, torch.zeros(rows, 0))


def tables() -> Tables:
    return Tables(ROWS, 8, RATE, torch.Generator().manual_seed(0))


def own_pair(kernel: _FusedKernel, inputs: Inputs) -> torch.Tensor:
    """FBGEMM's lookup, which brings its backward pass with it."""
    tbe = kernel._tbe
    return torch.ops.fbgemm.split_embedding_codegen_lookup_rowwise_adagrad_function_cpu(
        tbe.weights_host, tbe.weights_placements, tbe.weights_offsets, tbe.D_offsets, tbe.total_D, tbe.max_D,
        tbe.hash_size_cumsum, tbe.total_hash_size_bits, inputs.indices, inputs.offsets, int(tbe.pooling_mode),
        None, None, False, 0.0, False, tbe.momentum1_host, tbe.momentum1_placements, tbe.momentum1_offsets,
        EPS, RATE, 0.0, 0, 0.0, 0,
    )  # fmt: skip


@pytest.mark.parametrize("threads", [1, 2])
def test_every_step_has_the_bits_of_fbgemms_own_pair(threads: int) -> None:
    ours, theirs = tables(), tables()
    assert isinstance(ours.kernel, _FusedKernel)
    assert isinstance(theirs.kernel, _FusedKernel)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        for step in range(5):
            inputs = batch(step, 300)
            grad = torch.randn(300, 2, 8, generator=torch.Generator().manual_seed(step))
            pooled, expected = ours(inputs), own_pair(theirs.kernel, inputs).view(300, 2, 8)
            assert torch.equal(pooled, expected)
            pooled.backward(grad)
            expected.backward(grad)
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    for name, tensor in ours.state().items():
        assert torch.equal(tensor, theirs.state()[name]), name
    assert not torch.equal(ours.state()["a.weight"], tables().state()["a.weight"])
