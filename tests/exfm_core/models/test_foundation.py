"""The foundation model's heads: one per task kind, a bias per tenant, none for the unseen."""

import torch

from exfm_core.models.foundation import FoundationNet
from exfm_core.models.inputs import Inputs
from exfm_core.train.foundation import foundation_loss
from tests.exfm_core.train.factories import foundation


def inputs(slots: list[int]) -> Inputs:
    """Rows that differ in nothing but the tenant; sparse features: user_id, item_id, recent, tenant."""
    rows = len(slots)
    seen = [slot for slot in slots if slot]
    ids = [1] * rows + [2] * rows + seen
    lengths = [1] * rows + [1] * rows + [0] * rows + [int(slot > 0) for slot in slots]
    offsets = torch.tensor([0, *lengths]).cumsum(0)
    return Inputs(torch.tensor(ids), offsets, torch.zeros(rows, 1))


def test_tenant_bias_moves_its_tenant_only() -> None:
    net = FoundationNet(foundation())
    slots = [0, 1, 2]
    before = net(inputs(slots), torch.tensor(slots)).detach()
    with torch.no_grad():
        net.tenant_bias[0] = 9.0
        net.tenant_bias[1] = torch.tensor([1.0, 2.0])
    after = net(inputs(slots), torch.tensor(slots)).detach()
    assert torch.equal(after[0], before[0])
    assert torch.allclose(after[1] - before[1], torch.tensor([1.0, 2.0]), atol=1e-6)
    assert torch.equal(after[2], before[2])


def test_a_task_that_a_row_lacks_sends_no_gradient() -> None:
    net = FoundationNet(foundation())
    logits = net(inputs([1, 1]), torch.tensor([1, 1]))
    known = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    torch.autograd.backward(foundation_loss(logits, torch.ones(2, 2), known))
    click, conversion = net.heads
    assert any(bool(weight.grad.abs().sum() > 0) for weight in click.parameters() if weight.grad is not None)
    assert all(bool((weight.grad == 0).all()) for weight in conversion.parameters() if weight.grad is not None)
