"""What is served is the control model and nothing else, and predicts what the training model predicts."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from exfm_core.data.encode import blocks, vertical_layout
from exfm_core.errors import DataError
from exfm_core.export.predictor import Predictor
from exfm_core.export.serving import export_checkpoint, export_net
from exfm_core.spec import Supervision, VerticalSpec
from exfm_core.train.checkpoints import save_student
from exfm_core.train.rows import Cutter, Rows
from exfm_core.train.tensors import unpack
from exfm_core.train.vertical import VerticalTrainer
from tests.exfm_core.train.factories import partition, rows, schema, vertical


def trained(root: Path, spec: VerticalSpec) -> VerticalTrainer:
    part = partition(root, 600, 1)
    trainer = VerticalTrainer(spec, schema(), ("control", "treatment"))
    teacher = np.random.default_rng(0).normal(size=600).astype(np.float32)
    trainer.train(root / part.file.uri, 600, teacher, gate_open=True)
    return trainer


def columns(count: int = 200, seed: int = 4) -> dict[str, Any]:
    table = rows(count, 2, seed)
    return {name: table[name].to_pylist() for name in ("item_id", "recent", "placement", "age")}


@pytest.mark.parametrize("backbone", ["dcnv2", "dlrm", "deepfm"])
def test_predicts_what_the_training_model_predicts(tmp_path: Path, backbone: str) -> None:
    spec = vertical(backbone=backbone)
    trainer = trained(tmp_path, spec)
    net = trainer.students["treatment"].net
    part = partition(tmp_path, 200, 2, seed=4)
    (block,) = blocks(tmp_path / part.file.uri, vertical_layout(spec.model, schema()), 1)
    with torch.no_grad():
        expected = torch.sigmoid(net(Cutter(Rows.of(block)).inputs(0, 200))).numpy()
    found = Predictor(export_net(net, spec, schema())).predict(columns())
    assert np.allclose(found, expected, atol=1e-6)


def test_treatment_serves_exactly_the_controls_operators_and_parameters(tmp_path: Path) -> None:
    spec = vertical()
    trainer = trained(tmp_path, spec)
    shapes, operators, flops = [], [], []
    for student in trainer.students.values():
        data = export_net(student.net, spec, schema())
        shapes.append({name: (t.shape, t.dtype) for name, t in unpack(data, "serving")[1].items()})
        predictor = Predictor(data)
        inputs = predictor.inputs(columns())
        graph = torch.export.export(predictor.graph, inputs).graph
        operators.append([(node.op, str(node.target)) for node in graph.nodes])
        with FlopCounterMode(display=False) as counter:
            predictor.graph(*inputs)
        flops.append(counter.get_total_flops())
    assert shapes[0] == shapes[1]
    assert operators[0] == operators[1]
    assert flops[0] == flops[1] > 0
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
        assert export_checkpoint(save_student(student, identity, {})) == export_net(student.net, spec, schema())


def test_parameters_are_those_of_the_net(tmp_path: Path) -> None:
    spec = vertical()
    net = trained(tmp_path, spec).students["treatment"].net
    expected = sum(w.numel() for w in net.parameters()) + sum(w.numel() for w in net.tables.kernel.weights)
    assert Predictor(export_net(net, spec, schema())).describe()["parameters"] == expected


def test_bad_requests_are_refused_by_name(tmp_path: Path) -> None:
    spec = vertical()
    predictor = Predictor(export_net(trained(tmp_path, spec).students["control"].net, spec, schema()))
    whole = columns(3)
    with pytest.raises(DataError, match="placement"):
        predictor.predict({name: value for name, value in whole.items() if name != "placement"})
    with pytest.raises(DataError, match="'placement'"):
        predictor.predict(whole | {"placement": [0, 1, 4]})
