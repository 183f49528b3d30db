"""Forward values of every backbone stay what they were, on both back ends; the plain one wrote the file."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from exfm_core.models.embeddings import Backend
from exfm_core.models.vertical import VerticalNet

from .golden import CASES, ROWS, SCHEMA, batch, course, vertical

Floats = npt.NDArray[np.float64]

VALUES = json.loads(Path(__file__).with_name("golden.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("backend", ["plain", "fused"])
@pytest.mark.parametrize("name", CASES)
def test_values_are_kept(name: str, backend: Backend) -> None:
    initial, trained = course(CASES[name], backend)
    assert torch.allclose(initial, torch.tensor(VALUES[name]["initial"]), rtol=0, atol=1e-5)
    assert torch.allclose(trained, torch.tensor(VALUES[name]["trained"]), rtol=0, atol=5e-5)
    assert not torch.allclose(initial, trained, atol=1e-2)


def test_every_case_has_its_values() -> None:
    assert set(VALUES) == set(CASES)


def test_a_second_task_leaves_the_first_one_s_start_alone() -> None:
    for name in ("dcnv2", "din"):
        both = torch.tensor(VALUES[f"vertical {name}, two tasks"]["initial"])
        assert torch.equal(both[:, :1], torch.tensor(VALUES[f"vertical {name}"]["initial"]))


def linear(weights: dict[str, Floats], name: str, x: Floats) -> Floats:
    return np.asarray(x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"])


def relu(x: Floats) -> Floats:
    return np.maximum(x, 0)


def vectors(net: VerticalNet, weights: dict[str, Floats], attends: bool) -> Floats:
    """[B, 3, D]: item, the past (mean, or weighed by item), place."""
    inputs = batch()
    ids, ends = inputs.indices.numpy(), inputs.offsets.numpy()
    state = net.tables.state()
    tables = {name: state[f"{name}.weight"].numpy().astype(np.float64) for name in net.tables.names}
    found = np.zeros((ROWS, 3, 8))
    for row in range(ROWS):
        item, place = tables["item"][ids[ends[row]]], tables["place"][ids[ends[2 * ROWS + row]]]
        past = tables["item" if attends else "recent"][ids[ends[ROWS + row] : ends[ROWS + row + 1]]]
        share = np.full(len(past), 1 / max(1, len(past)))
        if attends:
            seen = np.array([np.concatenate([item, key, item - key, item * key]) for key in past]).reshape(-1, 32)
            hidden = relu(linear(weights, "attention.units.1.hidden", seen))
            share = linear(weights, "attention.units.1.weight", hidden)[:, 0]
        found[row] = item, share @ past if len(past) else np.zeros(8), place
    return found


@pytest.mark.parametrize("backbone", ["dcnv2", "dlrm", "deepfm", "din"])
def test_kept_values_against_numpy(backbone: str) -> None:
    """The whole forward pass once more, from the weights alone."""
    net = VerticalNet(vertical(backbone), SCHEMA, "plain")
    weights = {name: value.detach().numpy().astype(np.float64) for name, value in net.named_parameters()}
    emb, dense = vectors(net, weights, backbone == "din"), batch().dense_bn.numpy().astype(np.float64)
    h = np.concatenate([emb.reshape(ROWS, -1), dense], 1)
    if backbone == "dcnv2":
        x0 = h
        for layer in range(2):
            h = x0 * linear(weights, f"backbone.cross.{layer}.weight", h) + h
    if backbone == "dlrm":
        bottom = relu(linear(weights, "backbone.bottom", dense))
        every = np.concatenate([emb, bottom[:, None]], 1)
        dots = [(every[:, i] * every[:, j]).sum(1) for i in range(4) for j in range(i + 1, 4)]
        h = np.concatenate([np.stack(dots, 1), bottom], 1)
    for layer in range(2):
        h = relu(linear(weights, f"backbone.mlp.layers.{layer}", h))
    if backbone == "deepfm":
        h = np.concatenate([h, sum(emb[:, i] * emb[:, j] for i in range(3) for j in range(i + 1, 3))], 1)
    logits = linear(weights, "serving.logit", relu(linear(weights, "serving.hidden", h)))
    assert np.allclose(logits, VALUES[f"vertical {backbone}"]["initial"], atol=1e-5)
