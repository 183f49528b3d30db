"""`python -m scripts.openapi [--check]`: writes docs/openapi.yaml and the types of dashboard and Python client, or
compares them with the code."""

import difflib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts import client_models

ROOT = Path(__file__).resolve().parents[1]
SPEC = ROOT / "docs/openapi.yaml"
TYPES = ROOT / "frontend/src/api/schema.d.ts"
CLIENT = ROOT / "exfm_client/schema.py"


class GenerationError(RuntimeError):
    """A generator failed; the text is what it said."""


def write_spec(target: Path) -> None:
    """Generate the OpenAPI file; a warning is an error."""
    command = [sys.executable, "manage.py", "spectacular", "--validate", "--fail-on-warn", "--file", str(target)]
    run([*command, "--settings", "config.settings.test"], {**os.environ, "EXFM_PROCESS": "owner"})


def write_types(spec: Path, target: Path) -> None:
    """Generate TypeScript types with the pinned generator."""
    tool = ROOT / "frontend/node_modules/openapi-typescript/bin/cli.js"
    run([str(ROOT / ".nodeenv/bin/node"), str(tool), str(spec), "--output", str(target)], dict(os.environ))


def write_client(spec: Path, target: Path) -> None:
    """Generate the Python client's types, in the project's format."""
    text = client_models.generate(spec)
    command = [sys.executable, "-m", "ruff", "format", "--quiet", "--stdin-filename", str(CLIENT), "-"]
    done = subprocess.run(command, input=text, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise GenerationError(done.stderr.strip()[-4000:])
    target.write_text(done.stdout, encoding="utf-8")


def run(command: list[str], environment: dict[str, str]) -> None:
    """Run in the project's folder; raise with the output when it fails."""
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise GenerationError((done.stderr + done.stdout).strip()[-4000:])


def difference(committed: Path, fresh: Path) -> str:
    """Return the first differing lines, or nothing."""
    old = committed.read_text().splitlines() if committed.exists() else []
    lines = difflib.unified_diff(
        old,
        fresh.read_text().splitlines(),
        f"{committed.relative_to(ROOT)} (committed)",
        "(from the code)",
        lineterm="",
    )
    return "\n".join(list(lines)[:40])


def main(argv: list[str]) -> int:
    """Return 0 when the committed files are what the code says."""
    try:
        if "--check" not in argv:
            write_spec(SPEC)
            write_types(SPEC, TYPES)
            write_client(SPEC, CLIENT)
            return 0
        with tempfile.TemporaryDirectory() as folder:
            spec, types, client = (Path(folder) / name for name in ("openapi.yaml", "schema.d.ts", "schema.py"))
            write_spec(spec)
            write_types(spec, types)
            write_client(spec, client)
            pairs = ((SPEC, spec), (TYPES, types), (CLIENT, client))
            found = [text for text in (difference(old, new) for old, new in pairs) if text]
    except GenerationError as problem:
        print(problem, file=sys.stderr)
        return 1
    if found:
        print("\n".join(found), "The API changed. Run `make openapi` and commit its files.", sep="\n", file=sys.stderr)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
