"""The ONNX graph predicts what the training code predicts, and is the control's graph whatever taught the model."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from exfm_core.errors import CheckpointError, ExfmError
from exfm_core.export import onnx_file
from exfm_core.export.folder import GRAPH
from exfm_core.export.onnx_file import export_folder
from exfm_core.export.predictor import Predictor
from exfm_core.export.serving import export_net
from exfm_core.models.vertical import VerticalNet
from exfm_core.spec import Attention
from exfm_core.train.checkpoints import save_student
from tests.exfm_core.export.models import BACKBONES, columns, expected_logits, managed, trained, two_tasks, widened
from tests.exfm_core.train.factories import schema, vertical


@pytest.mark.parametrize("backbone", BACKBONES)
def test_equals_the_training_graph_at_every_batch_size(tmp_path: Path, backbone: str) -> None:
    spec = vertical(backbone=backbone)
    net = trained(tmp_path, spec).students["treatment"].net
    export_folder(export_net(net, spec, schema()), tmp_path / "out")
    predictor = Predictor(tmp_path / "out", threads=2)
    (logits,) = expected_logits(tmp_path, net, spec)
    assert logits.std() > 0.1
    raw = columns()
    assert any(not bag for bag in raw["recent"])
    for rows in (1, 64, 65, 200):
        part = {name: values[:rows] for name, values in raw.items()}
        found = predictor.predict(part)["click"]
        assert found.shape == (rows,) and found.dtype == np.float32
        np.testing.assert_allclose(found, 1 / (1 + np.exp(-logits[:rows])), atol=5e-6)
    np.testing.assert_allclose(predictor.run(predictor.encoder.encode(raw))[1], logits, atol=2e-5, rtol=2e-5)


@pytest.mark.parametrize("backbone", ["dcnv2", "mmoe"])
def test_every_task_is_served_by_its_own_head(tmp_path: Path, backbone: str) -> None:
    spec = vertical(backbone=backbone, tasks=("click", "like"))
    net = widened(VerticalNet(spec, two_tasks(), "plain"))
    export_folder(export_net(net, spec, two_tasks()), tmp_path / "out")
    predictor = Predictor(tmp_path / "out")
    assert predictor.tasks == ("click", "like")
    logits = expected_logits(tmp_path, net, spec)
    assert np.abs(logits[0] - logits[1]).max() > 0.01
    for rows in (1, 200):
        found = predictor.predict({name: values[:rows] for name, values in columns().items()})
        for task, expected in zip(predictor.tasks, logits, strict=True):
            np.testing.assert_allclose(found[task], 1 / (1 + np.exp(-expected[:rows])), atol=5e-6)
    parameters = sum(w.numel() for w in net.parameters()) + sum(w.numel() for w in net.tables.kernel.weights)
    assert predictor.folder.manifest["cost"]["parameters"] == parameters


def test_attention_weighs_sequences_of_any_length_as_in_training(tmp_path: Path) -> None:
    """DIN: a sequence shares its target's table and comes out the same, however long the request's longest bag is."""
    spec = vertical()
    model = dataclasses.replace(spec.model, backbone="din", attention=(Attention("recent", "item_id", 8),))
    spec = dataclasses.replace(spec, model=model)
    net = widened(VerticalNet(spec, schema(), "plain"))
    export_folder(export_net(net, spec, schema()), tmp_path / "out")
    predictor = Predictor(tmp_path / "out")
    assert predictor.encoder.padding == 54, "one table for item_id and recent"
    (logits,) = expected_logits(tmp_path, net, spec)
    raw = columns()
    np.testing.assert_allclose(predictor.run(predictor.encoder.encode(raw))[1], logits, atol=2e-5, rtol=2e-5)
    for i in range(20):
        row = {name: values[i : i + 1] for name, values in raw.items()}
        np.testing.assert_allclose(predictor.run(predictor.encoder.encode(row))[1], logits[i], atol=2e-5, rtol=2e-5)


def test_a_model_of_nothing_but_a_sequence(tmp_path: Path) -> None:
    """No `ids`, no `dense`; the export itself compares the graph with the training code's module."""
    spec = vertical(backbone="deepfm")
    spec = dataclasses.replace(spec, model=dataclasses.replace(spec.model, features=("recent",)))
    net = widened(VerticalNet(spec, schema(), "plain"))
    export_folder(export_net(net, spec, schema()), tmp_path / "out")
    predictor = Predictor(tmp_path / "out")
    assert predictor.encoder.input_names == ("ids.recent",)
    found = predictor.predict({"recent": [[], [3], [3, 3]]})["click"]
    assert found[1] == found[2] != found[0]
    assert predictor.folder.manifest["checked"]["largest_logit_difference"] < 1e-5


def test_managed_ids_travel_with_the_model_and_unknown_ones_are_absent(tmp_path: Path) -> None:
    stream = managed()
    spec = vertical()
    trainer = trained(tmp_path, spec, stream)
    student = trainer.students["treatment"]
    identity = {"spec": spec.to_json(), "schema": stream.to_json(), "arm": "treatment"}
    export_folder(save_student(student, identity, {}), tmp_path / "out")
    predictor = Predictor(tmp_path / "out")
    assert set(predictor.folder.id_maps()) == {"item_id", "recent"}
    (logits,) = expected_logits(tmp_path, student.net, spec, stream)
    raw = columns()
    np.testing.assert_allclose(predictor.run(predictor.encoder.encode(raw))[1], logits, atol=2e-5, rtol=2e-5)
    known = predictor.encoder.maps["item_id"]
    assert len(known) == 30 and (known.look_up(np.array(raw["item_id"])) < 0).any(), "some ids have lost their rows"
    unknown = {"item_id": [10**9] * 2, "recent": [[10**9, 10**9 + 1], []], "placement": [1, 1], "age": [0.5, 0.5]}
    found = predictor.predict(unknown)["click"]
    assert found[0] == found[1], "unknown ids are an empty bag"
    (tmp_path / "out" / "ids.recent.npy").write_bytes((tmp_path / "out" / "ids.item_id.npy").read_bytes())
    with pytest.raises(CheckpointError, match=r"ids\.recent\.npy"):
        Predictor(tmp_path / "out")


def test_treatment_serves_exactly_the_controls_operators_and_parameters(tmp_path: Path) -> None:
    """METHOD §3, invariant 8. FLOPs follow: equal operators on equal shapes, and equal figures in the manifest."""
    spec = vertical()
    graphs, costs = [], []
    for arm, student in trained(tmp_path, spec).students.items():
        export_folder(export_net(student.net, spec, schema()), tmp_path / arm)
        graphs.append(_shape_of(tmp_path / arm / GRAPH))
        costs.append(Predictor(tmp_path / arm).folder.manifest["cost"])
        parameters = sum(w.numel() for w in student.net.parameters())
        parameters += sum(w.numel() for w in student.net.tables.kernel.weights)
        assert costs[-1]["parameters"] == parameters
    assert graphs[0] == graphs[1]
    assert costs[0] == costs[1]
    operators, weights = graphs[1]
    assert not any(word in name for name in weights for word in ("auxiliary", "adapter", "d2"))
    export_folder(export_net(student.net, spec, schema()), tmp_path / "again")
    files = [Predictor(tmp_path / name).folder.manifest["files"] for name in (arm, "again")]
    assert files[0] == files[1], "the same weights make the same files"
    assert b".py" not in (tmp_path / arm / GRAPH).read_bytes(), "and no note of the machine that wrote them"
    assert "Loop" not in {kind for kind, _ in operators}


def test_int8_tables_stay_inside_their_bound(tmp_path: Path) -> None:
    spec = vertical()
    net = trained(tmp_path, spec).students["treatment"].net
    data = export_net(net, spec, schema())
    export_folder(data, tmp_path / "int8", int8=True)
    (table,) = [w for w in _weights(tmp_path / "int8") if w.name == "table.weight"]
    assert table.data_type == onnx.TensorProto.INT8
    kinds = [kind for kind, _ in _shape_of(tmp_path / "int8" / GRAPH)[0]]
    assert kinds.index("Gather") < kinds.index("Cast"), "rows are gathered before they become floats"
    exact = 1 / (1 + np.exp(-expected_logits(tmp_path, net, spec)[0]))
    predictor = Predictor(tmp_path / "int8")
    rough = predictor.predict(columns())["click"]
    stated = predictor.folder.manifest["checked"]["largest_logit_difference"]
    assert 0 < np.abs(exact - rough).max() < 1e-2
    assert 0 < stated < 5e-2


def test_a_graph_that_predicts_something_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = vertical()
    data = export_net(trained(tmp_path, spec).students["control"].net, spec, schema())
    original = onnx_file._logits
    monkeypatch.setattr(onnx_file, "_logits", lambda *given: original(*given) + 0.01)
    with pytest.raises(CheckpointError, match=r"differ .* up to 0\.01") as caught:
        export_folder(data, tmp_path / "out")
    assert caught.value.code == "export.differs"
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".out*"))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "note").touch()
    with pytest.raises(ExfmError, match="not empty"):
        export_folder(data, tmp_path / "out")


def _shape_of(path: Path) -> tuple[list[tuple[str, Any]], dict[str, Any]]:
    graph = onnx.load(str(path)).graph
    operators = [(node.op_type, tuple(node.input)) for node in graph.node]
    return operators, {w.name: (w.data_type, tuple(w.dims)) for w in graph.initializer}


def _weights(folder: Path) -> Any:
    return onnx.load(str(folder / GRAPH)).graph.initializer
