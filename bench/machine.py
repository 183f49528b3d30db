"""What a figure was measured on and with."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil


def describe() -> dict[str, Any]:
    """The machine, its load now, and the versions that decide speed."""
    return {
        "taken": datetime.now(UTC).isoformat(timespec="minutes"),
        "machine": f"{os.cpu_count()}-core {platform.machine()}, {_model()}, {_gib():.0f} GiB",
        "load_before": [round(load, 2) for load in os.getloadavg()],
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("torch", "fbgemm-gpu-cpu", "numpy", "pyarrow")},
    }


def _model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _gib() -> float:
    return float(psutil.virtual_memory().total / 2**30)
