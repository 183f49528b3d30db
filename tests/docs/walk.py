"""Runs the shell commands of the guides as a reader would who copies them in order into one shell."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.kit.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SETTING = re.compile(r"[A-Z_]+=")


class Walked(AssertionError):
    """A command of a guide failed; the text is the command and what it said."""


def commands(page: str, *, heading: str = "", until: str = "") -> list[str]:
    """Return the `sh` blocks of a page under docs/, from one heading (the first) up to another (the last)."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    start = text.index(f"## {heading}\n") if heading else 0
    return FENCE.findall(text[start : text.index(f"## {until}\n") if until else len(text)])


def is_settings(block: str) -> bool:
    """Whether a block only names values, which are the reader's own."""
    return all(SETTING.match(line) for line in block.splitlines())


@dataclass
class Reader:
    """Someone in a folder of their own with a shell, who puts the values of `own` in place of the page's."""

    folder: Path
    environment: dict[str, str]

    def settle(self) -> None:
        """Make the folder look like the checkout's, without anything written there."""
        (self.folder / "manage.py").symlink_to(ROOT / "manage.py")
        (self.folder / ".venv").symlink_to(sys.prefix)

    def copy(self, blocks: list[str], own: dict[str, str], *, seconds: float = 4 * PATIENCE) -> dict[str, str]:
        """Run the blocks in one shell that ends at the first failure; return each block's output by its text."""
        answers = self.folder / "answers"
        answers.mkdir(exist_ok=True)
        for old in answers.iterdir():
            old.unlink()
        lines = ["set -euo pipefail"]
        for number, block in enumerate(blocks):
            lines += [f"exec >answers/{number:03} 2>&1", block]
            if is_settings(block):
                lines += [f"{name}='{value}'" for name, value in own.items() if f"{name}=" in block]
        done = subprocess.run(
            ["bash", "-c", "\n".join(lines)], cwd=self.folder, env=self.environment, timeout=seconds, check=False
        )
        said = [path.read_text(encoding="utf-8") for path in sorted(answers.iterdir())]
        if done.returncode:
            raise Walked(f"exit status {done.returncode} in:\n{blocks[len(said) - 1]}\nwhich said:\n{said[-1]}")
        return dict(zip(blocks, said, strict=True))


def reader(folder: Path, home: Path) -> Reader:
    """Return a reader on the machine of the platform that runs from `home`."""
    kept = {name: value for name, value in os.environ.items() if name != "EXFM_PROCESS"}
    made = Reader(folder, {**kept, "EXFM_HOME": str(home), "DJANGO_SETTINGS_MODULE": "config.settings.local"})
    made.settle()
    return made
