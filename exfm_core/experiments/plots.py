"""Pictures as small SVG files. Needs the extra ``plots`` (matplotlib)."""

from __future__ import annotations

from pathlib import Path

from exfm_core.errors import ExfmError
from exfm_core.experiments.report import Picture


class PlotError(ExfmError):
    """The picture cannot be drawn."""


def available() -> bool:
    """True if matplotlib is installed."""
    from importlib.util import find_spec

    return find_spec("matplotlib") is not None


def draw(picture: Picture, path: Path) -> None:
    """Draw a picture; the same data give the same bytes."""
    if not available():
        raise PlotError("plots.missing", "matplotlib is not installed.", "Install the extra: pip install '.[plots]'.")
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot

    mpl.rcParams.update({"svg.hashsalt": "exfm", "svg.fonttype": "none", "font.size": 9, "font.family": "sans-serif"})
    figure, axes = pyplot.subplots(figsize=(6.4, 3.6), layout="constrained")
    for series in picture.series:
        (line,) = axes.plot(series.x, series.y, marker="o", markersize=4, linewidth=1.4, label=series.label)
        if series.low and series.high:
            axes.fill_between(series.x, series.low, series.high, color=line.get_color(), alpha=0.15, linewidth=0)
    if picture.log_x:
        axes.set_xscale("log")
    if picture.ticks:
        axes.set_xticks(list(picture.ticks), list(picture.ticks.values()))
        axes.minorticks_off()
    axes.axhline(0, color="0.4", linewidth=0.8)
    axes.set(title=picture.title, xlabel=picture.x_label, ylabel=picture.y_label)
    axes.grid(color="0.9", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    figure.savefig(path, metadata={"Date": None, "Creator": "exfm"})
    pyplot.close(figure)
