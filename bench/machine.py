"""What a figure was measured on and with."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil


def describe() -> dict[str, Any]:
    """The machine and the versions that decide speed."""
    return {
        "taken": datetime.now(UTC).isoformat(timespec="minutes"),
        "machine": f"{os.cpu_count()}-core {platform.machine()}, {_model()}, {_gib():.0f} GiB",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("torch", "fbgemm-gpu-cpu", "numpy", "pyarrow")},
    }


def load() -> float:
    """Processes that ran or waited, the mean of the last minute: what else the machine was doing."""
    return round(os.getloadavg()[0], 1)


def _model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _gib() -> float:
    return float(psutil.virtual_memory().total / 2**30)
