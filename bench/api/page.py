"""Writes the tables of docs/performance-api.md out of bench/results: `python -m bench.api.page`."""

import re
from typing import Any

from bench.api.__main__ import TARGETS
from bench.markdown import Results, Tables, render, results, table
from bench.protocol import ROOT

PAGE = ROOT / "docs" / "performance-api.md"


def routes(found: Results) -> str:
    """Every address, the slowest first; a figure in bold misses its target."""
    rows = []
    for name, cell in sorted(found["api"]["found"]["routes"].items(), key=lambda item: -item[1]["alone"]["p95_ms"]):
        figures = {
            "queries": cell["queries"],
            "trips": cell["trips"],
            "sql_ms": cell["sql_ms"],
            "cpu_ms": cell["cpu_ms"],
            "p50_ms": cell["alone"]["p50_ms"],
            "p95_ms": cell["alone"]["p95_ms"],
            "first_ms": cell["alone"]["first_ms"],
            "requests_per_s": cell["crowd"]["requests_per_s"],
        }
        label = re.sub(r"<\w+:(\w+)>", r"{\1}", name)
        rows.append([f"`{label}`", *(_shown(key, value) for key, value in figures.items())])
    head = ["address", "queries", "trips", "SQL ms", "CPU ms", "p50 ms", "p95 ms", "first ms", "20 clients, requests/s"]
    return table(head, rows)


def _shown(key: str, value: float) -> str:
    text = str(value) if isinstance(value, int) else f"{value:,.1f}" if value < 100 else f"{value:,.0f}"
    target = TARGETS.get(key)
    missed = target is not None and (value < target if key == "requests_per_s" else value > target)
    return f"**{text}**" if missed else text


def summary(found: Results) -> str:
    """How many addresses keep each target."""
    api = found["api"]["found"]
    cells = list(api["routes"].values())
    kept = {
        "p95 of one client ≤ 50 ms": [cell["alone"]["p95_ms"] <= TARGETS["p95_ms"] for cell in cells],
        "20 clients: ≥ 120 requests/s": [
            cell["crowd"]["requests_per_s"] >= TARGETS["requests_per_s"] for cell in cells
        ],
        "SQL ≤ 10 ms": [cell["sql_ms"] <= TARGETS["sql_ms"] for cell in cells],
        "≤ 8 queries in the action": [cell["queries"] <= TARGETS["queries"] for cell in cells],
        "CPU ≤ 8.3 ms (120 requests/s of one core)": [cell["cpu_ms"] <= 1e3 / 120 for cell in cells],
    }
    rows = [[name, f"{sum(held)} of {len(held)}"] for name, held in kept.items()]
    rows.append(["20 clients over all addresses in turn, requests/s", f"{api['mixed']['requests_per_s']:.0f}"])
    return table(["target", "addresses that keep it"], rows)


def mlflow(found: Results) -> str:
    """Searches in milliseconds, then points per second."""
    peer = found["api-mlflow"]["found"]
    rows = [
        [
            name,
            f"{cell['exfm']['p50_ms']:.1f}, {cell['exfm']['p95_ms']:.1f}",
            f"{cell['mlflow']['p50_ms']:.1f}, {cell['mlflow']['p95_ms']:.1f}",
            f"{cell['mlflow']['p50_ms'] / cell['exfm']['p50_ms']:.1f}, {cell['times']:.1f}",
        ]
        for name, cell in peer["search"].items()
    ]
    points = [
        [f"{clients} clients" if clients != "1" else "1 client", f"{cell['exfm']:,.0f}", f"{cell['mlflow']:,.0f}",
         f"{cell['times']:.1f}"]
        for clients, cell in peer["points_per_s"].items()
    ]  # fmt: skip
    return "\n\n".join(
        [
            table(["runs, one client: p50, p95 in ms", "this platform", "MLflow", "times faster"], rows),
            table(["metric points per second", "this platform", "MLflow", "times faster"], points),
        ]
    )


def machine(found: Results) -> str:
    """Where and under which load each measurement was taken."""
    return "\n\n".join([_taken("Addresses", found["api"]), _taken("MLflow", found["api-mlflow"])])


def _taken(name: str, held: dict[str, Any]) -> str:
    load = f"{held['settings']['load_before']:g} before, {held['load_after']:g} after"
    return (
        f"{name}: {held['machine']}; {held['taken'].removesuffix('+00:00')} UTC; load of the machine (1 min): {load}."
    )


TABLES: Tables = {"summary": summary, "routes": routes, "mlflow": mlflow, "machine": machine}


def main() -> None:
    """Rewrite the page."""
    PAGE.write_text(render(PAGE.read_text(), TABLES, results()))


if __name__ == "__main__":
    main()
