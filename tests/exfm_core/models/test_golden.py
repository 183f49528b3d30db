"""Forward values of every backbone stay what they were, on both back ends; the plain one wrote the file."""

import json
from pathlib import Path

import pytest
import torch

from exfm_core.models.embeddings import Backend

from .golden import CASES, course

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
