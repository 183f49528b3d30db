"""The commands end to end on a tiny stream: one table a run, the same one from the cache, pages that say what ran."""

import json
from pathlib import Path

import pytest

from exfm_core.__main__ import main
from exfm_core.experiments import plots
from exfm_core.experiments.ablation import ablation
from exfm_core.experiments.cache import Cache
from exfm_core.experiments.lab import Lab


def test_a_recipe_runs_once_and_is_then_read_from_the_cache(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["recipe", "tiny", "--seeds", "2", "--models", "shop-click", "--arms", "safe,placebos"]
    command += ["--cache", str(tmp_path / "cache")]
    assert main(command) == 0
    first = capsys.readouterr()
    assert "shop-click seed 1" in first.err
    lines = first.out.splitlines()
    (model,) = [line for line in lines if line.startswith("| shop-click") and "±" in line]
    assert "recipe tiny --models shop-click --arms safe,placebos" in first.out
    assert float(model.split("|")[3]) > 0.9
    assert main(command) == 0
    again = capsys.readouterr()
    assert again.out == first.out and again.err == ""


def test_a_page_its_data_and_its_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not plots.available():
        pytest.skip("the extra `plots` (matplotlib) is not installed")
    out = tmp_path / "results"
    command = ["recipe", "tiny", "--seeds", "1", "--models", "shop-click", "--arms", "strong"]
    assert main([*command, "--cache", str(tmp_path / "cache"), "--out", str(out)]) == 0
    capsys.readouterr()
    data = json.loads((out / "targets-tiny.json").read_text())
    (row,) = data["tables"][0]["rows"]
    assert row["model"] == "shop-click" and row["rows"] > 1000
    assert row["strong, open"]["low"] < row["strong, open"]["value"] < row["strong, open"]["high"]
    assert (out / "targets-tiny.svg").read_text().lstrip().startswith("<?xml")
    assert "![Lift along the stream](targets-tiny.svg)" in (out / "targets-tiny.md").read_text()


def test_another_world_is_other_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["recipe", "tiny", "--seeds", "1", "--models", "shop-click", "--arms", "safe", "--cache", str(tmp_path)]
    assert main(command) == 0
    here = capsys.readouterr().out
    assert main([*command, "--world", "1"]) == 0
    there = capsys.readouterr().out
    assert "--arms safe --world 1 --seeds 1" in there and "world 1" in there.splitlines()[0]
    assert here.split("## Each model")[1] != there.split("## Each model")[1]


def test_an_experiment_on_models_that_are_named(tmp_path: Path) -> None:
    lab = Lab(Cache(tmp_path), (0,), models=("feed-click",))
    assert lab.flags == " --models feed-click --seeds 1"
    report = ablation(lab, "tiny")
    assert report.tables[0].columns == ("arm", "pooled", "first tenth", "feed-click")


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (["experiment", "ablation-globo", "--models", "shop-click"], "has no model 'shop-click'"),
        (["experiment", "perpetual-motion"], "There is no experiment 'perpetual-motion'"),
        (["recipe", "netflix"], "There is no recipe 'netflix'"),
        (["recipe", "tiny", "--models", "t0-click"], "has no model 't0-click'"),
        (["recipe", "tiny", "--arms", "wishes"], "There are no arms 'wishes'"),
    ],
)
def test_what_is_not_there_is_a_sentence(
    command: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--cache", str(tmp_path)]) == 1
    assert sentence in capsys.readouterr().err
