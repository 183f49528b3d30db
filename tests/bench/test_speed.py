"""The speed measurements at tiny sizes: they run, and what they compare is the same model."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from bench import arms, contenders, embedding_bag, figures, pipeline, scoring, training, zipf
from bench.dataset import Dataset
from bench.fuxictr import environment
from bench.inprocess import batches, slice_of
from bench.ours import spec_of
from bench.shape import Shape
from exfm_core.train.vertical import VerticalTrainer

SHAPE = Shape(mlp=(16, 8), dim=4, head_width=4, batch_size=64)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return zipf.make(tmp_path_factory.mktemp("zipf"), tables=3, ids=40, rows=640)


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_splits_are_consecutive_and_ids_follow_zipfs_law(dataset: Dataset) -> None:
    with np.load(dataset.npz("train")) as found:
        counts = np.sort(np.bincount(found["c00"], minlength=40))[::-1]
        assert set(np.unique(found["label"])) == {0.0, 1.0}
    assert counts[0] > 3 * counts[5] > 0


def test_the_plain_loop_builds_the_same_function(dataset: Dataset) -> None:
    trainer = VerticalTrainer(spec_of(SHAPE, dataset.schema), dataset.schema, ("control",))
    net, peer = trainer.students["control"].net, embedding_bag.DeepFM(list(dataset.fields.values()), SHAPE)
    for bag, weight in zip(peer.bags, net.tables.kernel.weights, strict=True):
        bag.weight.data.copy_(weight * 30.0)
        weight.mul_(30.0)
    dense = [*peer.mlp.parameters(), *peer.head.parameters()]
    for theirs, ours in zip(dense, net.parameters(), strict=True):
        theirs.data.copy_(ours)
    (inputs, _), *_ = batches(slice_of(dataset, 64), trainer.layout, 64)
    logits, expected = net(inputs), peer(inputs.indices.view(3, 64).t())
    assert logits.std() > 0.01
    assert torch.allclose(logits, expected, atol=1e-6)


def test_training_against_the_plain_loop(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(environment, "is_ready", lambda: False)
    found = training.run(dataset, SHAPE, 1, 2, tmp_path)
    assert found["times_faster"]["EmbeddingBag"]["pairs"] == 2
    assert found["rows_per_s"]["exfm"] > 0
    assert "exfm is × as fast" in capsys.readouterr().out
    (written,) = tmp_path.glob("*.json")
    assert json.loads(written.read_text())["settings"]["optimisers"].keys() == {"exfm", "FuxiCTR", "EmbeddingBag"}


@pytest.mark.skipif(not environment.is_ready(), reason="FuxiCTR's environment is not made: python -m bench training")
def test_fuxictr_learns_with_as_many_weights(dataset: Dataset, tmp_path: Path) -> None:
    peers = [contenders.exfm(dataset, SHAPE, 1), contenders.fuxictr(dataset, SHAPE, 1)]
    try:
        ours, theirs = (peer.ask("parameters")["parameters"] for peer in peers)
        assert ours == theirs
        first = peers[1].ask("train", kind="npz", workers=1, shuffle=True)
        assert first["rows"] == 640
        peers[1].ask("evaluate", split="train", into=str(tmp_path / "logits.npy"))
        assert np.load(tmp_path / "logits.npy").shape == (640,)
    finally:
        for peer in peers:
            peer.close()


def test_arms_pipeline_and_scoring(dataset: Dataset, tmp_path: Path) -> None:
    shapes = {"tiny": (dataset, SHAPE)}
    cost = arms.run(shapes, 1, 2, {64: 3, 16: 3}, tmp_path)["tiny"]
    assert set(cost) == {"64", "16"}
    assert cost["64"]["both"]["median"] > 1.0
    assert pipeline.run(shapes, 1, 640, 2, tmp_path)["tiny"]["share_of_own_rate"]["pairs"] == 2
    assert scoring.run({"tiny": dataset}, 1, 640, 2, tmp_path)["tiny"]["rows_per_s"]["scored"] > 0
    assert {path.stem for path in tmp_path.glob("*.json")} == {"arms", "pipeline", "scoring"}


def test_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = figures.run(500, 2, tmp_path)
    assert min(found["rows_per_s"], found["interval_ms"]) > 0
    assert "generated rows/s" in capsys.readouterr().out
    assert json.loads((tmp_path / "figures.json").read_text())["found"] == found


def test_a_contender_that_dies_says_why(dataset: Dataset) -> None:
    peer = contenders.Contender("broken", ["python3", "-c", "raise SystemExit('out of luck')"], 1)
    with pytest.raises(RuntimeError, match="out of luck"):
        peer.ask("train")
    peer.close()
