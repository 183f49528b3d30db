"""The fused tables against the plain ones, and both against row-wise Adagrad in NumPy."""

import numpy as np
import pytest
import torch
from torchrec import KeyedJaggedTensor

from exfm_core.errors import DataError
from exfm_core.models.embeddings import EPS, Backend, Tables, _FusedKernel
from exfm_core.models.inputs import Inputs

ROWS, DIM, RATE = {"a": 5, "b": 30, "c": 8}, 8, 0.1


def tables(backend: Backend) -> Tables:
    return Tables(ROWS, DIM, RATE, torch.Generator().manual_seed(1), backend)


def batch(seed: int, rows: int = 16) -> Inputs:
    """Bags of 0 to 3 ids, with repeats inside and between bags."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, 4, len(ROWS) * rows)
    sizes = np.repeat(list(ROWS.values()), rows)
    ids = np.concatenate([rng.integers(0, size, n) for size, n in zip(sizes, lengths, strict=True)])
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return Inputs(torch.from_numpy(ids), torch.from_numpy(offsets), torch.zeros(rows, 0))


def steps(built: Tables, count: int = 5) -> None:
    for seed in range(count):
        pooled = built(batch(seed))
        torch.autograd.backward((pooled * torch.arange(DIM)).pow(2).sum() + pooled.sum())


def test_back_ends_agree() -> None:
    fused, plain = tables("fused"), tables("plain")
    for name, value in fused.state().items():
        assert torch.equal(value, plain.state()[name])
    assert torch.allclose(fused(batch(9)), plain(batch(9)), atol=1e-7)
    steps(fused)
    steps(plain)
    for name, value in fused.state().items():
        assert torch.allclose(value, plain.state()[name], rtol=1e-4, atol=1e-5), name


@pytest.mark.parametrize("backend", ["fused", "plain"])
def test_one_step_against_numpy(backend: Backend) -> None:
    built, inputs = tables(backend), batch(3)
    before = {name: value.numpy().copy() for name, value in built.state().items()}
    gradient = np.random.default_rng(0).normal(size=(16, len(ROWS), DIM)).astype(np.float32)
    torch.autograd.backward(built(inputs), torch.from_numpy(gradient))
    offsets, ids = inputs.offsets.numpy(), inputs.indices.numpy()
    for f, name in enumerate(ROWS):
        expected, state = before[f"{name}.weight"], before[f"{name}.adagrad"]
        total = np.zeros_like(expected)
        for b in range(16):
            bag = ids[offsets[f * 16 + b] : offsets[f * 16 + b + 1]]
            for row in bag:
                total[row] += gradient[b, f] / len(bag)
        touched = np.unique(ids[offsets[f * 16] : offsets[f * 16 + 16]])
        state[touched] += (total[touched] ** 2).mean(1)
        expected[touched] -= RATE * total[touched] / (np.sqrt(state[touched]) + EPS)[:, None]
        assert np.allclose(built.state()[f"{name}.weight"].numpy(), expected, atol=1e-6)
        assert np.allclose(built.state()[f"{name}.adagrad"].numpy(), state, atol=1e-6)


def test_the_direct_operator_is_the_collection() -> None:
    """Same bits as TorchRec's own forward and backward."""
    direct, whole = tables("fused"), tables("fused")
    assert isinstance(whole.kernel, _FusedKernel)
    for seed in range(3):
        inputs = batch(seed)
        lengths = inputs.offsets.diff()
        pooled = whole.kernel.collection(KeyedJaggedTensor(list(ROWS), inputs.indices, lengths=lengths)).to_dict()
        by_name = torch.stack([pooled[name] for name in ROWS], 1)
        mine = direct(inputs)
        assert torch.equal(mine, by_name)
        torch.autograd.backward(mine.pow(2).sum())
        torch.autograd.backward(by_name.pow(2).sum())
    for name, value in direct.state().items():
        assert torch.equal(value, whole.state()[name])


def test_state_is_live_and_is_the_collections_own() -> None:
    built = tables("fused")
    assert isinstance(built.kernel, _FusedKernel)
    with torch.no_grad():
        built.state()["b.weight"].fill_(0.5)
    names = built.kernel.collection.state_dict()
    assert torch.equal(names["embedding_bags.b.weight"], torch.full((30, DIM), 0.5))
    optimiser = built.kernel.collection.fused_optimizer().state_dict()["state"]
    steps(built)
    assert torch.equal(optimiser["b.weight"]["b.weight.momentum_1"], built.state()["b.adagrad"])


def test_empty_bag_is_zero() -> None:
    inputs = Inputs(torch.tensor([1]), torch.tensor([0, 0, 1, 1]), torch.zeros(1, 0))
    backends: tuple[Backend, ...] = ("fused", "plain")
    for backend in backends:
        pooled = tables(backend)(inputs)
        assert torch.equal(pooled[0, 0], torch.zeros(DIM))
        assert not torch.equal(pooled[0, 1], torch.zeros(DIM))


@pytest.mark.parametrize("wrong", [-1, 5, 2**40])
def test_rows_outside_a_table_are_refused(wrong: int) -> None:
    """FBGEMM's own check would print a warning and read row 0."""
    inputs = Inputs(torch.tensor([wrong, 1, 1]), torch.tensor([0, 1, 2, 3]), torch.zeros(1, 0))
    with pytest.raises(DataError, match="'a'"):
        tables("fused")(inputs)


def test_offsets_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match="offsets"):
        tables("fused")(Inputs(torch.tensor([1, 1, 1]), torch.tensor([0, 1, 2]), torch.zeros(1, 0)))


def test_why_weight_decay_is_refused() -> None:
    """FBGEMM's fused CPU kernel takes a weight decay and a largest row norm, and trains as if there were none. Where
    this fails, the kernel has learnt it, and `Optimizer` may offer it."""
    from fbgemm_gpu.split_embedding_configs import EmbOptimType
    from fbgemm_gpu.split_table_batched_embeddings_ops_common import EmbeddingLocation, PoolingMode
    from fbgemm_gpu.split_table_batched_embeddings_ops_training import (
        ComputeDevice,
        SplitTableBatchedEmbeddingBagsCodegen,
    )

    found = []
    for options in ({}, {"weight_decay": 0.5}, {"max_norm": 0.1}):
        tbe = SplitTableBatchedEmbeddingBagsCodegen(
            [(6, DIM, EmbeddingLocation.HOST, ComputeDevice.CPU)],
            pooling_mode=PoolingMode.MEAN,
            optimizer=EmbOptimType.EXACT_ROWWISE_ADAGRAD,
            learning_rate=RATE,
            **options,
        )
        (weight,) = tbe.split_embedding_weights()
        weight.data.copy_(torch.arange(6.0 * DIM).view(6, DIM))
        for _ in range(3):
            torch.autograd.backward(tbe(torch.arange(6), torch.arange(7)).sum())
        found.append(weight.detach().clone())
    assert torch.equal(found[0], found[1]) and torch.equal(found[0], found[2])
