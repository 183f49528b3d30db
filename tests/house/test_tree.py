"""Rules of the tree that no other tool checks."""

import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = sorted(path.parent.name for path in (ROOT / "platform").glob("*/__init__.py"))
ADDRESS = re.compile(r"https?://|git\+|registry\.")


def test_platform_is_no_package():
    assert not (ROOT / "platform/__init__.py").exists(), "it would shadow the standard library's platform"


@pytest.mark.parametrize("app", APPS)
def test_no_app_has_the_name_of_another_module(app):
    assert app not in sys.stdlib_module_names
    assert set(packages_distributions().get(app, [])) <= {"exfm"}


def test_every_app_is_installed(settings):
    assert set(APPS) <= set(settings.INSTALLED_APPS)


@pytest.mark.parametrize(
    "name", ["constraints.txt", "pyproject.toml", "frontend/package-lock.json", "frontend/package.json"]
)
def test_lock_files_name_no_address(name):
    text = (ROOT / name).read_text()
    if name.endswith("package-lock.json"):
        packages = json.loads(text)["packages"].values()
        assert [p["resolved"] for p in packages if ADDRESS.search(str(p.get("resolved", "")))] == []
        return
    assert [line for line in text.splitlines() if ADDRESS.search(line)] == []


def test_torch_is_pinned_without_a_local_suffix():
    assert re.search(r"^torch==2\.13\.0$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)


def test_torchrec_is_no_declared_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = [
        *project["dependencies"],
        *(name for names in project["optional-dependencies"].values() for name in names),
    ]
    assert [name for name in declared if name.startswith("torchrec")] == [], "it drags in the CUDA build of FBGEMM"


def test_every_test_folder_is_a_package():
    folders = {path.parent for path in (ROOT / "tests").rglob("test_*.py")}
    assert [str(folder.relative_to(ROOT)) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_make_help_lists_every_target():
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    listed = set(re.findall(r"^  make ([a-z0-9-]+)", shown, re.MULTILINE))
    assert listed == set(phony[1].split())
