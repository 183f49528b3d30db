"""`make bench ARGS=api` or `python -m bench.api`: every list and detail address of a tenant on a large installation.

The installation is kept below var/bench/api-<size> between runs; the full one takes about 12 GB.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench import report
from bench.api import load
from bench.api.addresses import addresses
from bench.api.fill import Size
from bench.api.installation import Filled, prepare
from bench.machine import load as load_average
from bench.protocol import ROOT

SIZES = {"full": Size(), "small": Size(tenants=20, models=400, runs=4000, big_models=100, deep_models=10)}
TARGETS = {"p95_ms": 50.0, "requests_per_s": 120.0, "sql_ms": 10.0, "queries": 8}


def queries(filled: Filled, asked: dict[str, str]) -> dict[str, Any]:
    """Queries and SQL time of each address, in a process with the web's credential."""
    command = [sys.executable, "-m", "bench.api.queries"]
    made = subprocess.run(
        command,
        input=json.dumps(asked),
        env=filled.environment(),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return dict(json.loads(made.stdout))


def measure(filled: Filled, asked: dict[str, str], port: int, requests: int, seconds: float) -> dict[str, Any]:
    """Everything about each address."""
    found = queries(filled, asked)
    with load.server(filled.environment(), port, filled.home / "web.log"):
        for name, address in asked.items():
            found[name] |= {"address": address, "alone": load.alone(port, filled.token, address, requests)}
        for name, address in asked.items():
            found[name]["crowd"] = load.together(port, filled.token, [address], 20, seconds)
        mixed = load.together(port, filled.token, list(asked.values()), 20, 4 * seconds)
    return {"routes": found, "mixed": mixed}


def show(found: dict[str, Any]) -> None:
    """Print the table, slowest first."""
    rows = [
        [
            name, row["queries"], row["sql_ms"], row["cpu_ms"], row["alone"]["p50_ms"], row["alone"]["p95_ms"],
            row["alone"]["first_ms"], row["crowd"]["requests_per_s"], row["crowd"]["p95_ms"],
        ]
        for name, row in sorted(found["routes"].items(), key=lambda item: -item[1]["alone"]["p95_ms"])
    ]  # fmt: skip
    head = ("address", "queries", "SQL ms", "CPU ms", "p50 ms", "p95 ms", "first ms", "20: requests/s", "20: p95 ms")
    report.table("one client, then twenty", head, rows)
    print("all addresses mixed, 20 clients:", found["mixed"])


def main() -> None:
    """Fill, measure, write."""
    parser = argparse.ArgumentParser(prog="python -m bench.api", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--home", type=Path, help="folder of the installation")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--requests", type=int, default=100, help="requests of one client per address (default: 100)")
    parser.add_argument("--seconds", type=float, default=5, help="how long 20 clients ask each address (default: 5)")
    parser.add_argument("--only", nargs="+", help="addresses by name")
    parser.add_argument("--json", type=Path, help="write the result here")
    options = parser.parse_args()
    before, size = load_average(), SIZES[options.size]
    filled = prepare(options.home or ROOT / "var" / "bench" / f"api-{options.size}", size)
    print(f"{size.tenants} tenants, {size.models} models, {size.runs} runs, {size.points} points;"
          f" filled in {filled.fill_seconds:.0f} s", flush=True)  # fmt: skip
    try:
        asked = addresses(size)
        asked = {name: asked[name] for name in options.only or asked}
        found = measure(filled, asked, options.port, options.requests, options.seconds)
    finally:
        filled.servers.stop()
    show(found)
    if options.json:
        settings = {"size": vars(size) | {"points": size.points}, "fill_seconds": filled.fill_seconds}
        settings |= {"load_before": before, "requests": options.requests, "seconds": options.seconds}
        path = report.save(options.json.stem, settings, found, options.json.parent)
        print(path)


if __name__ == "__main__":
    main()
