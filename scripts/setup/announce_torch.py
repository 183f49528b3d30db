"""Says how large the PyTorch download is before it starts, and how to get the smaller build. Standard library only."""

import json
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

CPU_BUILD = "about 190 MB"
CUDA_BUILD = "about 2.5 GB, as it brings CUDA libraries"


def main(index: str) -> int:
    """Ask pip which build it would take; a failed question is no reason to stop."""
    try:
        print(f"PyTorch {version('torch')} is installed.")
        return 0
    except PackageNotFoundError:
        pass
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--dry-run",
        "--no-deps",
        "--report",
        "-",
        "-c",
        "constraints.txt",
        "torch",
    ]
    done = subprocess.run(
        command + (["--extra-index-url", index] if index else []), capture_output=True, text=True, check=False
    )
    try:
        report = json.loads(done.stdout)["install"][0]
        name, where = report["metadata"]["version"], report["download_info"]["url"]
    except (ValueError, LookupError):
        print(f"Installing PyTorch: {CPU_BUILD} for the CPU build, {CUDA_BUILD} for the CUDA build.", flush=True)
        return 0
    size = CPU_BUILD if "cpu" in name or sys.platform == "darwin" else CUDA_BUILD
    print(
        f"Installing PyTorch {name}: {size}{' (a local file)' if where.startswith('file:') else ' to download'}.",
        flush=True,
    )
    if size == CUDA_BUILD:
        print(
            "For the smaller CPU build, stop here and run: make … TORCH_INDEX_URL=<address of PyTorch's CPU wheels>",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
