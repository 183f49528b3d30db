"""The library's tour, copied block by block: it runs, and its command says the same as its call."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.docs.walk import ROOT
from tests.kit.patience import PATIENCE

PAGE = ROOT / "docs/library.md"


def test_the_tour_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```(python|sh)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 6
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    threads = torch.get_num_threads()
    try:
        for language, text in blocks:
            if language == "python":
                exec(compile(text, str(PAGE), "exec"), names)
    finally:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(False)
    said = capsys.readouterr().out
    assert "| safe |" in said
    assert "placebo: true label" in said
    assert "warm start: +" in said
    before = json.loads((tmp_path / "tour/out/results.json").read_text())
    (command,) = (text for language, text in blocks if language == "sh")
    arguments = command.replace("python", sys.executable, 1).split()
    done = subprocess.run([*arguments, "--quiet"], capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "tour/out/results.json").read_text()) == before
    assert done.stdout.strip() in said
