"""Lift against the size of a stream: between models with few and many rows, and along each model's own stream."""

from __future__ import annotations

from exfm_core.experiments import figures
from exfm_core.experiments.arms import named
from exfm_core.experiments.lab import BENCHES, Lab
from exfm_core.experiments.report import Picture, Report, Series, Table
from exfm_core.experiments.targets import DEFAULT_GROUPS, about
from exfm_core.experiments.work import PARTS

ARMS = ("safe", "strong")
PICKED = (slice(0, 1), slice(1, 2), slice(2, 5), slice(5, PARTS))
NAMES = ("first tenth", "second", "third to fifth", "second half")


def stream_size(lab: Lab, recipe: str) -> Report:
    """The main table's own courses, cut by rows."""
    bench = BENCHES[recipe]
    stage = lab.stage(bench)
    courses = lab.study(bench, stage, bench.models, named(DEFAULT_GROUPS))
    report = Report(
        f"stream-size-{recipe}",
        f"Lift against the size of the stream, on {recipe}",
        "Is the gain one of a cold start, and do small streams gain more than large ones? Gates as in production.",
        f"python -m exfm_core experiment stream-size-{recipe}{lab.flags}",
        about(bench, stage, lab),
    )
    table = Table("Along the stream", ("model", "rows", "arm", "whole", *NAMES))
    series = {arm: Series(arm, [], []) for arm in ARMS}
    rows = {
        model: next(iter(figures.of_models(courses, [model]).values())).sums("control").rows for model in bench.models
    }
    for model in sorted(bench.models, key=rows.__getitem__):
        mine = figures.of_models(courses, [model])
        for arm in ARMS:
            whole = figures.lift(mine, arm)
            table.add(model, rows[model], arm, whole, *(figures.lift(mine, arm, parts=part) for part in PICKED))
            series[arm].x.append(float(rows[model]))
            series[arm].y.append(whole.value)
            series[arm].low.append(whole.value if whole.low is None else whole.low)
            series[arm].high.append(whole.value if whole.high is None else whole.high)
    report.tables.append(table)
    label = "rows of the model's stream since its launch"
    report.pictures.append(
        Picture("Lift by size of stream", label, "NE gain over the control, %", list(series.values()), log_x=True)
    )
    report.seconds = lab.seconds
    return report
