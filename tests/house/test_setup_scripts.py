"""Set-up on strange machines: no Python, an old one, no venv module, no browser, no data; each a sentence."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import chromium, fetch_data

ROOT = Path(__file__).resolve().parents[2]


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def shell(script: str, *arguments: str, path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(ROOT / "scripts/setup" / script), *arguments],
        env={"PATH": f"{path}:/usr/bin:/bin" if script == "venv.sh" else str(path), **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_no_python(tmp_path):
    done = shell("python.sh", path=tmp_path)
    assert done.returncode == 1
    assert "Python 3.11, 3.12 or 3.13 is needed; there is no python3 here" in done.stderr and "PYTHON=" in done.stderr


def test_an_old_python(tmp_path):
    program(tmp_path, "python3", 'case "$2" in *print*) echo "python3 here is 3.9" ;; *) exit 1 ;; esac')
    done = shell("python.sh", path=tmp_path)
    assert done.returncode == 1
    assert "python3 here is 3.9" in done.stderr


def test_a_named_python_that_does_not_fit(tmp_path):
    done = shell("python.sh", path=tmp_path, PYTHON="/nowhere/python")
    assert (done.returncode, "/nowhere/python does not run" in done.stderr) == (1, True)


def test_a_fitting_python_is_taken(tmp_path):
    (tmp_path / "python3").symlink_to(sys.executable)
    assert shell("python.sh", path=tmp_path).stdout.strip() == "python3"


def test_no_venv_module(tmp_path):
    refuse = 'mkdir -p "$3"; echo "ensurepip is not available" >&2; exit 1'
    wrapped = f'case "$*" in *venv*) {refuse};; *) exec {sys.executable} "$@";; esac'
    program(tmp_path, "python3", wrapped)
    done = shell("venv.sh", str(tmp_path / "half"), path=tmp_path)
    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr
    assert not (tmp_path / "half").exists(), "nothing half-written"


def test_a_named_chromium_that_is_none(monkeypatch):
    monkeypatch.setenv("CHROMIUM", "/nowhere/chromium")
    with pytest.raises(chromium.NoChromium, match="/nowhere/chromium is not a program"):
        chromium.find()


def test_no_chromium_at_all(monkeypatch):
    monkeypatch.delenv("CHROMIUM", raising=False)
    for look in ("_of_the_system", "_from_apt", "_from_playwright"):
        monkeypatch.setattr(chromium, look, lambda: "")
    with pytest.raises(chromium.NoChromium, match="CHROMIUM=/path"):
        chromium.find()


def test_an_unknown_data_set(capsys):
    assert fetch_data.main(["movielens-2m"]) == 1
    assert "Choose one of: movielens-1m" in capsys.readouterr().err


def test_a_damaged_archive_leaves_nothing(tmp_path, monkeypatch, capsys):
    archive = tmp_path / "source.zip"
    archive.write_bytes(b"not the archive")
    source = fetch_data.SOURCES["movielens-1m"]
    monkeypatch.setattr(fetch_data, "SOURCES", {"ml": type(source)(**{**vars(source), "url": archive.as_uri()})})
    monkeypatch.setenv("EXFM_DATA", str(tmp_path / "data"))
    assert fetch_data.main(["ml", "--yes"]) == 1
    said = capsys.readouterr()
    assert "SHA-256" in said.err and "may not be passed on" in said.out
    assert list((tmp_path / "data").iterdir()) == []


def test_no_internet_names_the_way_round(tmp_path, monkeypatch, capsys):
    source = fetch_data.SOURCES["movielens-1m"]
    monkeypatch.setattr(
        fetch_data, "SOURCES", {"ml": type(source)(**{**vars(source), "url": "http://127.0.0.1:9/ml.zip"})}
    )
    monkeypatch.setenv("EXFM_DATA", str(tmp_path))
    assert fetch_data.main(["ml", "--yes"]) == 1
    assert "EXFM_DATA=" in capsys.readouterr().err


def test_the_node_environment_works_without_the_systems_node(tmp_path):
    done = subprocess.run(
        [sys.executable, "scripts/mknode.py", str(tmp_path / "node")],
        cwd=ROOT, env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Node v24.") and "npm 11." in done.stdout
    assert os.access(tmp_path / "node/bin/npm", os.X_OK)
