"""Writes the tables of docs/performance.md out of bench/results: `python -m bench.page`."""

from collections.abc import Callable

from bench.markdown import Results, Tables, render, results, table
from bench.protocol import ROOT
from bench.report import show_ratio
from bench.training import RATIOS

PAGE = ROOT / "docs" / "performance.md"


def _thousands(value: float) -> str:
    return f"{value / 1e3:,.1f} k"


def _training(found: Results) -> str:
    rows = []
    for name in sorted(key for key in found if key.startswith("training-")):
        cell, settings = found[name]["found"], found[name]["settings"]
        for peer, rate in cell["rows_per_s"].items():
            ratios = ["" if peer == "exfm" else show_ratio(cell[ratio][peer]) for ratio in RATIOS]
            what = f"{len(settings['fields'])} fields, {settings['threads']} threads"
            rows.append([what, peer, _thousands(rate), f"{cell['cpu_us_per_row'][peer]:.1f}", *ratios])
    return table(("data", "contender", "rows/s", "CPU µs/row", *RATIOS.values()), rows)


def _quality(found: Results) -> str:
    rows = [
        [
            name,
            f"{cell['mean_auc']:.4f}",
            f"{cell['mean_logloss']:.4f}",
            ", ".join(f"{each['auc']:.4f}" for each in cell["test"]),
            ", ".join(f"{rate:g}" for rate in cell["rates"].values()),
        ]
        for name, cell in found["quality"]["found"].items()
    ]
    return table(("contender", "AUC", "log loss", "AUC by seed", "learning rates chosen"), rows)


def _arms(found: Results) -> str:
    rows = [
        [name, size, f"{cell['plain_ms_per_batch']:.2f}", show_ratio(cell["treatment"]), show_ratio(cell["both"])]
        for name, sizes in found["arms"]["found"].items()
        for size, cell in sizes.items()
    ]
    return table(("model", "batch", "plain, CPU ms", "treatment ÷ plain", "both ÷ plain"), rows)


def _shares(name: str, own: str, whole: str, share: str) -> Callable[[Results], str]:
    def made(found: Results) -> str:
        rows = [
            [
                model,
                _thousands(cell["rows_per_s"][own]),
                _thousands(cell["rows_per_s"][whole]),
                show_ratio(cell[share]),
                show_ratio(cell["share_by_cpu"]),
            ]
            for model, cell in found[name]["found"].items()
        ]
        return table(("model", f"{own}, rows/s", f"{whole}, rows/s", "share by the clock", "share by CPU"), rows)

    return made


def _threaded(found: Results) -> str:
    rows = [
        [
            f"{model}, {found[name]['settings']['threads']} threads",
            _thousands(cell["rows_per_s"]["fused"]),
            _thousands(cell["rows_per_s"]["threaded"]),
            show_ratio(cell["times_faster"]),
        ]
        for name in sorted(key for key in found if key.startswith("threaded-"))
        for model, cell in found[name]["found"].items()
    ]
    return table(("model", "fused, rows/s", "threaded, rows/s", "threaded is × as fast"), rows)


def _machine(found: Results) -> str:
    names = [
        name
        for name in found
        if name.split("-")[0] in ("training", "quality", "arms", "pipeline", "scoring", "threaded")
    ]
    rows = [
        [
            name,
            found[name]["machine"],
            found[name]["taken"],
            f"{found[name]['settings']['load_before']:g}, {found[name]['load_after']:g}",
        ]
        for name in names
    ]
    return table(("measurement", "machine", "taken (UTC)", "load (1 min) before, after"), rows)


TABLES: Tables = {
    "training": _training,
    "quality": _quality,
    "arms": _arms,
    "pipeline": _shares("pipeline", "own", "pipeline", "share_of_own_rate"),
    "scoring": _shares("scoring", "bare", "scored", "share_of_bare_rate"),
    "threaded": _threaded,
    "machine": _machine,
}


def main() -> None:
    """Rewrite the page."""
    PAGE.write_text(render(PAGE.read_text(), TABLES, results()))


if __name__ == "__main__":
    main()
