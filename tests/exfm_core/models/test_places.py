"""Sequences read in places: equal on both back ends, one Adagrad step per row, exact zeros where nothing is."""

import numpy as np
import pytest
import torch

from exfm_core.errors import DataError
from exfm_core.models.embeddings import EPS, Backend, Tables
from exfm_core.models.inputs import Inputs
from exfm_core.models.places import Bag, Places
from exfm_core.spec import Feature

ROWS, DIM, RATE = {"item": 12, "place": 5}, 8, 0.1
BAGS = {"recent": Bag("item", 3), "place": Bag("place"), "item": Bag("item")}
"""The sequence stands before the table's owner, and a feature of another table between them."""
BACKENDS = ["fused", "plain"]


def tables(backend: Backend) -> Tables:
    return Tables(ROWS, DIM, RATE, torch.Generator().manual_seed(1), backend, BAGS)


def batch(seed: int, rows: int = 9) -> Inputs:
    """Sequences of 0 to 3 ids with repeats; the other features have one id."""
    rng = np.random.default_rng(seed)
    lengths = np.concatenate([rng.integers(0, 4, rows), np.ones(2 * rows, np.int64)])
    sizes = np.repeat([ROWS["item"], ROWS["place"], ROWS["item"]], rows)
    ids = np.concatenate([rng.integers(0, size, n) for size, n in zip(sizes, lengths, strict=True)])
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return Inputs(torch.from_numpy(ids), torch.from_numpy(offsets), torch.zeros(rows, 0))


def by_hand(inputs: Inputs) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Ids [B, 3] of the sequence with -1 where there is none, its mask, and the ids of place and item."""
    rows, offsets, ids = inputs.rows, inputs.offsets.numpy(), inputs.indices.numpy()
    recent = np.full((rows, 3), -1)
    for row in range(rows):
        found = ids[offsets[row] : offsets[row + 1]]
        recent[row, : len(found)] = found
    rest = ids[offsets[rows] :].reshape(2, rows)
    return recent, (recent >= 0).astype(np.float32), rest[0], rest[1]


@pytest.mark.parametrize("backend", BACKENDS)
def test_parts_against_numpy(backend: Backend) -> None:
    built, inputs = tables(backend), batch(3)
    item, place = (weight.numpy() for weight in built.kernel.weights)
    recent, mask, places, items = by_hand(inputs)
    parts, masks = built.parts(inputs)
    assert np.allclose(parts[0].detach(), item[recent] * mask[:, :, None], atol=1e-7)
    assert np.array_equal(parts[1].detach(), place[places]) and np.array_equal(parts[2].detach(), item[items])
    assert list(masks) == [0] and np.array_equal(masks[0], mask)
    assert bool((parts[0].detach()[mask == 0] == 0).all())


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_row_read_by_sequence_and_target_takes_one_step(backend: Backend) -> None:
    """Row-wise Adagrad on the sum of all gradients of a row, wherever it was read."""
    built, inputs = tables(backend), batch(4)
    before = [weight.numpy().copy() for weight in built.kernel.weights]
    recent, mask, places, items = by_hand(inputs)
    parts, _ = built.parts(inputs)
    grads = [torch.randn(part.shape, generator=torch.Generator().manual_seed(i)) for i, part in enumerate(parts)]
    torch.autograd.backward(parts, grads)
    item, place = np.zeros((12, DIM), np.float32), np.zeros((5, DIM), np.float32)
    np.add.at(item, recent[mask > 0], grads[0].numpy()[mask > 0])
    np.add.at(item, items, grads[2].numpy())
    np.add.at(place, places, grads[1].numpy())
    for got, state, start, grad in zip(built.kernel.weights, built.kernel.states, before, (item, place), strict=True):
        total = (grad**2).mean(1)
        expected = start - RATE * grad / (np.sqrt(total) + EPS)[:, None]
        assert np.allclose(state, total, rtol=1e-5, atol=1e-6)
        assert np.allclose(got, expected, rtol=1e-5, atol=1e-5)


def test_back_ends_agree_over_steps() -> None:
    fused, plain = tables("fused"), tables("plain")
    for seed in range(5):
        for built in (fused, plain):
            parts, _ = built.parts(batch(seed))
            torch.autograd.backward(torch.stack([part.pow(2).sum() + part.sum() for part in parts]).sum())
    for name, value in fused.state().items():
        assert torch.allclose(value, plain.state()[name], rtol=1e-4, atol=1e-5), name


@pytest.mark.parametrize("backend", BACKENDS)
def test_rows_outside_and_sequences_too_long_are_refused(backend: Backend) -> None:
    built, inputs = tables(backend), batch(3)
    outside = Inputs(inputs.indices.clone(), inputs.offsets, inputs.dense_bn)
    outside.indices[-1] = 12
    with pytest.raises(DataError, match="'item' has row numbers outside its table of 12 rows"):
        built.parts(outside)
    long = Inputs(torch.zeros(6, dtype=torch.int64), torch.tensor([0, 4, 5, 6]), torch.zeros(1, 0))
    with pytest.raises(DataError, match="'recent' has 4 ids in a row, the model reads 3"):
        built.parts(long)


def test_a_batch_of_empty_sequences_and_of_no_rows() -> None:
    for rows in (4, 0):
        ids = torch.zeros(2 * rows, dtype=torch.int64)
        offsets = torch.cat([torch.zeros(rows, dtype=torch.int64), torch.arange(2 * rows + 1)])
        parts, masks = tables("fused").parts(Inputs(ids, offsets, torch.zeros(rows, 0)))
        assert parts[0].shape == (rows, 3, DIM) and not bool(parts[0].any()) and not bool(masks[0].any())


def test_bags_of_one_table_stand_together() -> None:
    places = Places(BAGS, tuple(ROWS))
    assert places.kernel_tables == (0, 0, 0, 0, 1)
    assert places.table_of == (0, 1, 0) and places.features == ("recent", "place", "item")


def test_a_managed_feature_beside_a_shared_table_renews_its_own() -> None:
    """Feature 1 reads table 1, feature 2 table 0: what changes hands is in the managed feature's table."""
    built = tables("plain")
    place = Feature("place", buckets=5, hashed=False, managed=True)
    recent, item = Feature("recent", "sequence", 12, max_length=3), Feature("item", buckets=12)
    built.manage((recent, place, item), seed=1)
    inputs = batch(3)
    inputs.indices[-2 * inputs.rows : -inputs.rows] += 10**12
    item_before = built.kernel.weights[0].clone()
    admitted = built.admit(inputs)
    assert torch.equal(built.kernel.weights[0], item_before) and not bool(built.kernel.states[1].any())
    parts, _ = built.parts(admitted)
    known, _ = built.parts(inputs)
    assert torch.equal(parts[1], known[1]) and bool(parts[1].any())
    strangers = Inputs(inputs.indices.clone(), inputs.offsets, inputs.dense_bn)
    strangers.indices[-2 * inputs.rows : -inputs.rows] += 10**13
    assert not bool(built.parts(strangers)[0][1].any()), "an id without a row is absent from its bag"


def test_two_threads_give_the_bits_of_one() -> None:
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            built = tables("fused")
            for seed in range(4):
                parts, _ = built.parts(batch(seed, 400))
                torch.autograd.backward(torch.stack([part.pow(2).sum() + part.sum() for part in parts]).sum())
            found.append(built.state())
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(value, found[1][name]) for name, value in found[0].items())
