"""The serving file holds the control model and nothing else, and comes out of a checkpoint as out of the net."""

from pathlib import Path

import pytest
import torch

from exfm_core.errors import CheckpointError
from exfm_core.export.serving import export_checkpoint, export_net, load_served
from exfm_core.models.foundation import FoundationNet
from exfm_core.spec import Supervision
from exfm_core.train.checkpoints import module_state, save_foundation, save_student
from exfm_core.train.tensors import unpack
from tests.exfm_core.export.models import trained
from tests.exfm_core.train.factories import foundation, schema, vertical


def test_holds_nothing_of_the_teacher(tmp_path: Path) -> None:
    spec = vertical()
    shapes = []
    for student in trained(tmp_path, spec).students.values():
        data = export_net(student.net, spec, schema())
        shapes.append({name: (t.shape, t.dtype) for name, t in unpack(data, "serving")[1].items()})
    assert shapes[0] == shapes[1]
    assert not any(word in name for name in shapes[1] for word in ("auxiliary", "adapter", "adam", "adagrad"))


def test_supervision_leaves_no_trace(tmp_path: Path) -> None:
    """With all weights at 0 the exported treatment is the exported control, byte for byte."""
    spec = vertical(Supervision("custom", w=0.0))
    trainer = trained(tmp_path, spec)
    control, treatment = (export_net(student.net, spec, schema()) for student in trainer.students.values())
    assert control == treatment


def test_a_checkpoint_exports_like_the_net_it_came_from(tmp_path: Path) -> None:
    spec = vertical()
    trainer = trained(tmp_path, spec)
    for arm, student in trainer.students.items():
        identity = {"spec": spec.to_json(), "schema": schema().to_json(), "arm": arm}
        checkpoint = save_student(student, identity, {"rows": 600})
        assert export_checkpoint(checkpoint) == export_net(student.net, spec, schema())
        served = load_served(checkpoint)
        assert served.origin == {"kind": "checkpoint", "arm": arm, "position": {"rows": 600}}
        for name, weight in module_state(student.net).items():
            assert torch.equal(module_state(served.net)[name], weight)


def test_a_foundation_model_is_never_served() -> None:
    spec = foundation()
    net = FoundationNet(spec, "plain")
    data = save_foundation(net, torch.optim.Adam(net.parameters()), {"spec": spec.to_json()}, {})
    with pytest.raises(CheckpointError, match="never serves") as caught:
        load_served(data)
    assert caught.value.code == "export.not_vertical"
