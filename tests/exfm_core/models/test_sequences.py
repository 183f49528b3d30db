"""Attention over sequences against its equations in NumPy; padding and empty sequences count for nothing."""

import numpy as np
import pytest
import torch

from exfm_core.models.sequences import QueryAttention, SequencePooling, TargetAttention

B, L, D, WIDTH = 5, 4, 8, 6
KEYS = torch.randn(B, L, D, generator=torch.Generator().manual_seed(0))
TARGET = torch.randn(B, D, generator=torch.Generator().manual_seed(1))
MASK = (torch.arange(L) < torch.tensor([4, 2, 0, 1, 3]).unsqueeze(1)).float()
"""Row 2 is an empty sequence."""


def target_attention() -> TargetAttention:
    return TargetAttention(D, WIDTH, torch.Generator().manual_seed(2))


def query_attention() -> QueryAttention:
    unit = QueryAttention(D)
    torch.nn.init.normal_(unit.query, generator=torch.Generator().manual_seed(3))
    return unit


def test_target_attention() -> None:
    unit = target_attention()
    w1, b1, w2, b2 = (weight.detach().numpy() for weight in unit.parameters())
    q, k, mask = TARGET.numpy(), KEYS.numpy(), MASK.numpy()
    expected = np.zeros((B, D))
    for b in range(B):
        for place in range(L):
            seen = np.concatenate([q[b], k[b, place], q[b] - k[b, place], q[b] * k[b, place]])
            weight = w2 @ np.maximum(w1 @ seen + b1, 0) + b2
            expected[b] += mask[b, place] * weight[0] * k[b, place]
    assert np.allclose(unit(TARGET, KEYS, MASK).detach(), expected, atol=1e-5)


def test_query_attention() -> None:
    unit = query_attention()
    scores = KEYS.numpy() @ unit.query.detach().numpy() / np.sqrt(D)
    expected = np.zeros((B, D))
    for b in range(B):
        length = int(MASK[b].sum())
        shares = np.exp(scores[b, :length] - scores[b, :length].max(initial=-np.inf))
        expected[b] = (shares / max(shares.sum(), 1e-9)) @ KEYS.numpy()[b, :length]
    assert np.allclose(unit(KEYS, MASK).detach(), expected, atol=1e-5)


def test_a_learned_query_starts_as_the_mean() -> None:
    expected = (KEYS * MASK.unsqueeze(2)).sum(1) / MASK.sum(1, keepdim=True).clamp(min=1)
    assert torch.allclose(QueryAttention(D)(KEYS, MASK), expected, atol=1e-6)


@pytest.mark.parametrize("kind", ["target", "query"])
def test_padding_and_empty_sequences_are_exact_zeros(kind: str) -> None:
    unit = target_attention() if kind == "target" else query_attention()
    before = (TARGET,) if kind == "target" else ()
    other = torch.where(MASK.unsqueeze(2) > 0, KEYS, 9.0).requires_grad_()
    found = unit(*before, other, MASK)
    assert torch.equal(found[2], torch.zeros(D)), "an empty sequence"
    assert torch.equal(found, unit(*before, KEYS, MASK)), "what stands in the padding counts for nothing"
    torch.autograd.backward(found.sum())
    assert other.grad is not None
    assert bool((other.grad[MASK == 0] == 0).all()) and bool((other.grad[MASK > 0] != 0).any())


def test_pooling_puts_each_sequence_where_its_feature_stands() -> None:
    unit = target_attention()
    pooling = SequencePooling({0: unit}, {0: 2})
    place = torch.full((B, D), 7.0)
    found = pooling([KEYS, place, TARGET], {0: MASK})
    assert torch.equal(found[:, 0], unit(TARGET, KEYS, MASK))
    assert torch.equal(found[:, 1], place) and torch.equal(found[:, 2], TARGET)
