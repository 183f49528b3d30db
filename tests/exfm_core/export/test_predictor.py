"""Requests in, probabilities out: what is refused, what is verified, and what is not imported."""

import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from exfm_core.__main__ import main
from exfm_core.errors import CheckpointError, DataError
from exfm_core.export.command import predict_lines
from exfm_core.export.folder import GRAPH, MANIFEST, WEIGHTS, read_folder
from exfm_core.export.onnx_file import export_folder
from exfm_core.export.predictor import Predictor
from exfm_core.export.serving import export_net
from exfm_core.models.vertical import VerticalNet
from tests.exfm_core.export.models import columns, trained
from tests.exfm_core.train.driver import REPOSITORY
from tests.exfm_core.train.factories import schema, vertical


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root, spec = tmp_path_factory.mktemp("export"), vertical()
    export_folder(export_net(trained(root, spec).students["treatment"].net, spec, schema()), root / "out")
    return root / "out"


@pytest.mark.parametrize(
    ("change", "code", "word"),
    [
        ({"placement": None}, "missing_column", "placement"),
        ({"placement": [0, 1, 4]}, "id_out_of_range", "'placement'"),
        ({"item_id": [0, 1, -1]}, "bad_value", "-1"),
        ({"item_id": [0.5, 1.0, 2.0]}, "bad_value", "float64"),
        ({"age": [1.0, 2.0]}, "bad_value", "2 values"),
        ({"recent": [[1] * 5, [], [2]]}, "bad_value", "5 ids"),
        ({"age": [1.0, float("nan"), 0.0]}, "bad_value", "not finite"),
        ({"age": ["1", "2", "3"]}, "bad_value", "'age'"),
    ],
)
def test_bad_requests_are_refused_by_name(exported: Path, change: dict[str, object], code: str, word: str) -> None:
    request = {name: value for name, value in (columns(3) | change).items() if value is not None}
    with pytest.raises(DataError, match=word) as caught:
        Predictor(exported).predict(request)
    assert caught.value.code == f"serving.{code}"


def test_an_empty_bag_is_a_row_like_any_other(exported: Path) -> None:
    predictor = Predictor(exported)
    request = columns(3) | {"recent": [[], [], []]}
    alone = [
        predictor.predict({name: values[i : i + 1] for name, values in request.items()})["click"] for i in range(3)
    ]
    np.testing.assert_allclose(np.concatenate(alone), predictor.predict(request)["click"], atol=1e-7)
    longer = predictor.predict(request | {"recent": [[], [1, 2, 3], []]})["click"]
    np.testing.assert_allclose(longer[[0, 2]], np.concatenate(alone)[[0, 2]], atol=1e-7)


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def _other_weights(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"]["../elsewhere"] = manifest["files"][WEIGHTS]
    (folder / MANIFEST).write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda folder: _flip(folder / GRAPH), "export.tampered"),
        (lambda folder: _flip(folder / WEIGHTS), "export.tampered"),
        (lambda folder: (folder / WEIGHTS).unlink(), "export.missing"),
        (lambda folder: (folder / MANIFEST).unlink(), "export.missing"),
        (lambda folder: (folder / MANIFEST).write_text("{}"), "export.damaged"),
        (_other_weights, "export.damaged"),
    ],
)
def test_a_folder_that_is_not_the_exported_one_is_refused(
    exported: Path, tmp_path: Path, damage: Callable[[Path], None], code: str
) -> None:
    for name in (MANIFEST, GRAPH, WEIGHTS):
        (tmp_path / name).write_bytes((exported / name).read_bytes())
    digest = Predictor(tmp_path).folder.manifest["files"][GRAPH]["sha256"]
    assert len(digest) == 64
    damage(tmp_path)
    with pytest.raises(CheckpointError) as caught:
        read_folder(tmp_path)
    assert caught.value.code == code


def test_a_forged_manifest_is_refused_by_its_hash(exported: Path) -> None:
    with pytest.raises(CheckpointError, match="not the manifest"):
        read_folder(exported, "0" * 64)


def test_lines_are_answered_one_by_one_and_bad_ones_named(exported: Path) -> None:
    predictor, raw = Predictor(exported), columns(70)
    lines = [json.dumps({name: values[i] for name, values in raw.items()}) for i in range(70)]
    found = [json.loads(answer)["click"] for answers in predict_lines(predictor, lines) for answer in answers]
    np.testing.assert_allclose(found, predictor.predict(raw)["click"], atol=1e-6)
    for bad, word in (("{", "Line 70 is no JSON"), ("7", "Line 70 is no JSON object"), ("{}", "Line 70 lacks")):
        with pytest.raises(DataError, match=word):
            list(predict_lines(predictor, [*lines[:69], bad]))


def test_the_bad_line_of_a_batch_is_named(exported: Path) -> None:
    predictor, raw = Predictor(exported), columns(70)
    rows = [{name: values[i] for name, values in raw.items()} for i in range(70)]
    for feature in predictor.encoder.sequences:
        rows[66][feature.name] = 7
        with pytest.raises(DataError, match=f"Line 67: Feature '{feature.name}' got a row that is no list of ids"):
            list(predict_lines(predictor, [json.dumps(row) for row in rows]))


@pytest.mark.parametrize("budget", ["nan", "-3", "0", "inf"])
def test_a_budget_that_is_none_is_refused(budget: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["export", "model.safetensors", "--out", str(tmp_path / "out"), "--budget-us", budget])


def test_predicting_needs_no_torch(exported: Path) -> None:
    """A server installs onnxruntime and numpy; torch would cost it 1.5 s and 200 MB."""
    row = json.dumps({name: values[0] for name, values in columns(1).items()})
    program = (
        "import sys; from exfm_core.export.command import predict_main; code = predict_main([sys.argv[1]]); "
        "assert not {'torch', 'pyarrow'} & set(sys.modules), 'too much was imported'; sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(exported)], input=row, capture_output=True, text=True, cwd=REPOSITORY
    )
    assert done.returncode == 0, done.stderr
    assert 0 < json.loads(done.stdout)["click"] < 1


def test_the_commands_go_from_a_checkpoint_to_a_probability(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = vertical()
    net = VerticalNet(spec, schema(), "plain")
    (tmp_path / "model.safetensors").write_bytes(export_net(net, spec, schema()))
    out = tmp_path / "out"
    assert main(["export", str(tmp_path / "model.safetensors"), "--out", str(out), "--int8"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["manifest_sha256"] == hashlib.sha256((out / MANIFEST).read_bytes()).hexdigest()
    assert set(said["checked"]["latency_us_one_thread"]) == {"1", "64"}
    row = json.dumps({name: values[0] for name, values in columns(1).items()})
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{row}\n\n{row}\n"))
    assert main(["predict", str(out), "--manifest-sha256", said["manifest_sha256"]]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(answers) == 2 and answers[0] == answers[1]
    assert main(["export", str(tmp_path / "model.safetensors"), "--out", str(out)]) == 1
    assert main(["predict", str(out), "--manifest-sha256", "0" * 64]) == 1
    named = tmp_path / f"{'0' * 64}.safetensors"
    named.write_bytes((tmp_path / "model.safetensors").read_bytes())
    assert main(["export", str(named), "--out", str(tmp_path / "b")]) == 1
    assert "its hash is not its name" in capsys.readouterr().err and not (tmp_path / "b").exists()
    late = ["export", str(tmp_path / "model.safetensors"), "--out", str(tmp_path / "late"), "--budget-us", "0.001"]
    assert main(["export", str(tmp_path / "model.safetensors"), "--out", str(out)]) == 1
    assert main(["export", str(tmp_path / "none"), "--out", str(tmp_path / "b")]) == 1
    assert main(late) == 1 and not (tmp_path / "late").exists()
    assert (
        "not empty" in (errors := capsys.readouterr().err) and "No such file" in errors and "budget is 0.001" in errors
    )
