"""What a teacher costs each tenant, and what it is worth to one, as more tenants share it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exfm_core.experiments import figures
from exfm_core.experiments.arms import CONTROL, SAFE, STRONG
from exfm_core.experiments.lab import BENCHES, Lab
from exfm_core.experiments.report import Picture, Report, Series, Table
from exfm_core.experiments.targets import about
from exfm_core.experiments.work import Piece
from exfm_core.metrics.sums import BucketSums, normalized_entropy
from exfm_core.train.arms import Arm

ARMS = (CONTROL, Arm("safe", SAFE, gated=False), Arm("strong", STRONG, gated=False))
STEPS = (1, 2, 4)


def tenants(lab: Lab, recipe: str) -> Report:
    """Teachers of 1, 2, 4 and all tenants' streams; the sample's tenant is always one of them, the others are added in
    the order of the recipe."""
    bench = BENCHES[recipe]
    stage = lab.stage(bench)
    report = Report(
        f"tenants-{recipe}",
        f"Sharing a teacher among tenants, on {recipe}",
        "A teacher trained on the streams of N tenants: what does it cost each of them, and what does it bring?",
        f"python -m exfm_core experiment tenants-{recipe}{lab.flags}",
        about(bench, stage, lab),
    )
    table = Table(
        "By number of tenants",
        (
            "model",
            "tenants",
            "teacher: rows",
            "NE teacher",
            "teacher, s",
            "teacher's share of one tenant, s",
            "control, s",
            "what strong adds to the model, s",
            "safe",
            "strong",
        ),
        remark="Seconds of processor time on one core, with other work on the machine. Measured on the teacher of all "
        "tenants and the models under it (first seed); smaller teachers by their rows, which cost the same each, and "
        "equal publishing. A tenant's share is the whole divided by N; the platform divides by use.",
    )
    series = []
    counts = [*STEPS, len(stage.tenants)]
    whole = lab.teach(stage, lab.seeds[0], tenants=list(stage.tenants)).about
    for model in lab.sample(bench):
        tenant = stage.students[model].tenant
        kind = stage.tenants[tenant].schema.task(stage.students[model].spec.model.task).kind
        line = Series(model, [], [])
        lines: list[tuple[object, ...]] = []
        for count in counts:
            others = [name for name in stage.tenants if name != tenant][: count - 1]
            names = [name for name in stage.tenants if name == tenant or name in others]
            taught = {seed: lab.teach(stage, seed, tenants=names) for seed in lab.seeds}
            spec = stage.students[model].spec
            found = lab.run([Piece(stage, model, s, ARMS, each, spec, join=bench.join) for s, each in taught.items()])
            rows = taught[lab.seeds[0]].about["rows"]
            spent = teacher_seconds(whole, rows)
            own = BucketSums.merge([each.sums(1, tenant, kind) for each in taught.values()])
            strong = figures.lift(found, "strong")
            lines.append(
                (
                    model,
                    count,
                    rows,
                    normalized_entropy(own).value,
                    f"{spent:.1f}",
                    f"{spent / count:.1f}",
                    figures.lift(found, "safe"),
                    strong,
                )
            )
            line.x.append(float(count))
            line.y.append(strong.value)
        used = found[(model, lab.seeds[0])].seconds
        for each in lines:
            table.add(*each[:6], f"{used['control']:.1f}", f"{used['strong'] - used['control']:.1f}", *each[6:])
        series.append(line)
    report.tables.append(table)
    ticks = {float(count): str(count) for count in counts}
    report.pictures.append(
        Picture("Tenants that share the teacher", "tenants", "NE gain of strong, %", series, True, ticks)
    )
    report.seconds = lab.seconds
    return report


def teacher_seconds(whole: Mapping[str, Any], rows: int) -> float:
    """Processor time of a teacher of ``rows`` rows, from what the teacher of all tenants (``whole``) took: training and
    scoring by row, publishing once a period."""
    seconds = whole["seconds"]
    return float(seconds["publish"] + (seconds["train"] + seconds["score"]) * rows / whole["rows"])
