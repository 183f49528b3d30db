"""FuxiCTR's own virtual environment below var/bench, made once from the pinned list beside this file."""

import subprocess
import sys

from bench.protocol import ROOT

HOME = ROOT / "var" / "bench" / "fuxictr"
PYTHON = HOME / "bin" / "python"
REQUIREMENTS = ROOT / "bench" / "fuxictr" / "requirements.txt"


def is_ready() -> bool:
    """True if the environment stands and has what is asked for."""
    stamp = HOME / "requirements.txt"
    return PYTHON.exists() and stamp.exists() and stamp.read_text() == REQUIREMENTS.read_text()


def make() -> None:
    """Make it if need be. Raises CalledProcessError where pip cannot install it."""
    if is_ready():
        return
    print(f"Installing FuxiCTR into {HOME.relative_to(ROOT)} …", flush=True)
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", str(HOME)], check=True)
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    subprocess.run([*pip, "-r", str(REQUIREMENTS)], check=True)
    (HOME / "requirements.txt").write_text(REQUIREMENTS.read_text())
