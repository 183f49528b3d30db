"""Tables on the screen, JSON in bench/results, and the few statistics they need."""

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench import machine

RESULTS = Path(__file__).parent / "results"
Row = Sequence[str | float | int]


def median(values: Sequence[float]) -> float:
    """The middle value."""
    return float(statistics.median(values))


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, Any]:
    """Median of the ratios ours/theirs, pair by pair (a pair shares its moment), with a 95 % bootstrap interval."""
    pairs = np.asarray(ours, np.float64) / np.asarray(theirs, np.float64)
    draws = np.random.default_rng(0).choice(pairs, (2000, len(pairs)))
    low, high = np.quantile(np.median(draws, axis=1), (0.025, 0.975))
    return {"median": float(np.median(pairs)), "low": float(low), "high": float(high), "pairs": len(pairs)}


def show_ratio(found: dict[str, Any]) -> str:
    """`2.31 [2.20, 2.40]`."""
    return f"{found['median']:.2f} [{found['low']:.2f}, {found['high']:.2f}]"


def table(title: str, head: Row, rows: Sequence[Row]) -> None:
    """Print aligned columns."""
    cells = [[f"{cell:,.3g}" if isinstance(cell, float) else str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    print(f"\n{title}")
    for row in cells:
        print(
            "  "
            + "  ".join(
                cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
            )
        )


def save(name: str, settings: dict[str, Any], found: dict[str, Any], folder: Path = RESULTS) -> Path:
    """Write one measurement with the machine it was taken on."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    content = {
        "measured": name,
        **machine.describe(),
        "load_after": machine.load(),
        "settings": settings,
        "found": found,
    }
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False, default=_plain) + "\n")
    print(f"  written: {path}", flush=True)
    return path


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else str(value)
