"""The command runs a recipe in one process and prints its table; a placebo teaches nothing behind the gate."""

import pytest

from exfm_core.recipes.__main__ import main


def test_the_tiny_recipe_prints_a_line_per_tenant(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tiny", "--seed", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[-4:]] == ["northwind-shop", "arcade-games", "daily-courier", "pooled"]
    assert "candidates not published" in lines[1]


@pytest.mark.parametrize("placebo", ["shuffle", "constant"])
def test_a_placebo_stays_behind_the_gate(placebo: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tiny", "--placebo", placebo, "--preset", "strong"]) == 0
    assert "pooled" in capsys.readouterr().out


def test_the_true_label_again_and_other_rates(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tiny", "--placebo", "truth", "--ungated", "--dense-lr", "0.5", "--embedding-lr", "2"]) == 0
    assert "111" in capsys.readouterr().out


def test_an_unknown_recipe_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["netflix"]) == 1
    assert "There is no data set 'netflix'" in capsys.readouterr().err
