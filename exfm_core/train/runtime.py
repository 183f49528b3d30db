"""Settings of the process that decide bits and speed; every trainer and scorer runs under the same ones."""

import platform
from importlib.metadata import PackageNotFoundError, version

import torch


def configure(threads: int) -> None:
    """Fixes the number of threads and flushes denormals (Adam's decaying moments would slow a CPU many times)."""
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)


def versions() -> dict[str, str]:
    """What weights depend on bit by bit, besides threads and instruction set."""
    found = {"python": platform.python_version()}
    for name in ("torch", "torchrec", "fbgemm_gpu-cpu", "numpy", "pyarrow", "safetensors"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


def instruction_set() -> str:
    """Torch's vector instruction set, such as AVX2."""
    return str(torch.backends.cpu.get_cpu_capability())
