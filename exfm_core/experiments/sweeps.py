"""One knob of the teacher at a time: label delay, length of its periods, its size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from exfm_core.experiments import figures
from exfm_core.experiments.arms import CONTROL, SAFE, STRONG, VARIANTS
from exfm_core.experiments.figures import Figure
from exfm_core.experiments.lab import BENCHES, Bench, Courses, Lab
from exfm_core.experiments.report import Picture, Report, Series, Table
from exfm_core.experiments.stage import Stage
from exfm_core.experiments.targets import about
from exfm_core.metrics.sums import BucketSums
from exfm_core.spec import FoundationSpec
from exfm_core.train.arms import Arm

DELAYS = (1, 2, 4, 8)
OPEN = (
    Arm("AH", VARIANTS["AH"], gated=False),
    Arm("AH + SA", SAFE, gated=False),
    Arm("strong", STRONG, gated=False),
)
"""Gates left open: a sweep shows what labels do, not when they are refused."""


def delay(lab: Lab, recipe: str) -> Report:
    """Label delay 1, 2, 4, 8 periods, with and without SA; hours on news, where freshness matters."""
    bench = BENCHES[recipe]
    hourly = {"partition_seconds": 3600} if recipe == "globo" else {}
    bench = replace(bench, join=1, options={**bench.options, **hourly})
    stage = lab.stage(bench)
    report = Report(
        f"delay-{recipe}",
        f"Stale teachers on {recipe}",
        "Labels from snapshots that are 1, 2, 4 and 8 periods old: what is left of the lift, and does SA rescue it?",
        f"python -m exfm_core experiment delay-{recipe}{lab.flags}",
        about(bench, stage, lab),
    )
    found: dict[float, Courses] = {}
    teachers: dict[float, float] = {}
    for each in DELAYS:
        arms = (CONTROL, *OPEN, Arm("AH + SA, gated", SAFE), Arm("strong, gated", STRONG))
        found[each] = lab.study(bench, stage, lab.sample(bench), arms, delays=DELAYS, delay=each)
        teachers[each] = teacher_ne(lab, bench, stage, delay=each, delays=DELAYS)
    _fill(report, "delay, periods", found, teachers, {each: str(each) for each in DELAYS}, log_x=True)
    report.seconds = lab.seconds
    return report


def partition_length(lab: Lab, recipe: str = "globo") -> Report:
    """Teacher's periods of 60, 30 and 15 minutes; the vertical model's partitions stay hours, so its control is one."""
    bench = BENCHES[recipe]
    found: dict[float, Courses] = {}
    teachers: dict[float, float] = {}
    for minutes in (60, 30, 15):
        shaped = replace(bench, join=60 // minutes, options={**bench.options, "partition_seconds": 60 * minutes})
        stage = lab.stage(shaped)
        found[minutes] = lab.study(shaped, stage, lab.sample(bench), (CONTROL, *OPEN))
        teachers[minutes] = teacher_ne(lab, shaped, stage)
    report = Report(
        f"partition-length-{recipe}",
        f"How often the teacher learns, on {recipe}",
        "A teacher that trains and publishes every 60, 30 and 15 minutes; everything else equal.",
        f"python -m exfm_core experiment partition-length-{recipe}{lab.flags}",
        about(bench, lab.stage(bench), lab),
    )
    ticks = {60.0: "60", 30.0: "30", 15.0: "15"}
    _fill(report, "minutes", found, teachers, ticks, log_x=True)
    report.seconds = lab.seconds
    return report


def size(lab: Lab, recipe: str) -> Report:
    """The ladder of teachers, each size about four times as dear as the one before, with the transfer ratio."""
    from exfm_core.cost import foundation_flops
    from exfm_core.spec.ladder import ladder

    bench = BENCHES[recipe]
    stage = lab.stage(bench)
    report = Report(
        f"teacher-size-{recipe}",
        f"Does a bigger teacher lift more? {recipe}",
        "Stacked interaction blocks (wukong) by size beside the recipe's own teacher; sizes cost about four times the "
        "one before. Transfer ratio = NE gain of the model ÷ NE gain of the teacher over the control.",
        f"python -m exfm_core experiment teacher-size-{recipe}{lab.flags}",
        about(bench, stage, lab),
    )
    own = stage.foundation
    sizes: dict[str, FoundationSpec] = {"recipe's own": own}
    for name in ("xs", "s", "m"):
        sizes[name] = replace(own, model=ladder(name, own.model.features, own.model.task_kinds))
    table = Table(
        "Teachers",
        (
            "teacher",
            "FLOPs a row",
            "embedding parameters",
            "training, s",
            "NE teacher",
            "gain over the control %",
            *(arm.name for arm in OPEN),
            *(f"transfer ratio, {arm.name}" for arm in OPEN),
        ),
        remark="One core, other work on the machine; the seconds are the first seed's.",
    )
    series = {arm.name: Series(arm.name, [], []) for arm in OPEN}
    for name, spec in sizes.items():
        courses = lab.study(bench, stage, lab.sample(bench), (CONTROL, *OPEN), foundation=spec)
        taught = lab.teach(stage, lab.seeds[0], spec)
        ne, ne_teacher = figures.ne(courses, "control"), teacher_ne(lab, bench, stage, foundation=spec)
        gain = 100.0 * (1.0 - ne_teacher / ne)
        lifts = [figures.lift(courses, arm.name) for arm in OPEN]
        flops = foundation_flops(spec)
        seconds = taught.about["seconds"]["train"]
        ratios = [f"{lift.value / gain:.2f}" if gain > 0 else None for lift in lifts]
        parameters = taught.about["embedding_parameters"]
        table.add(name, flops, parameters, f"{seconds:.0f}", ne_teacher, f"{gain:+.2f}", *lifts, *ratios)
        if name != "recipe's own":
            for arm, lift in zip(OPEN, lifts, strict=True):
                _point(series[arm.name], float(flops), lift)
    report.tables.append(table)
    report.pictures.append(
        Picture("Teacher's size", "FLOPs a row", "NE gain over the control, %", list(series.values()), log_x=True)
    )
    report.seconds = lab.seconds
    return report


def teacher_ne(
    lab: Lab,
    bench: Bench,
    stage: Stage,
    *,
    foundation: FoundationSpec | None = None,
    delay: int = 1,
    delays: tuple[int, ...] = (1,),
) -> float:
    """The teacher's own NE on the sample's rows since the launch, all seeds."""
    found = []
    for model in lab.sample(bench):
        student = stage.students[model]
        kind = stage.tenants[student.tenant].schema.task(student.spec.model.task).kind
        taught = [lab.teach(stage, seed, foundation, delays) for seed in lab.seeds]
        found.append(BucketSums.merge([each.sums(delay, student.tenant, kind) for each in taught]))
    return figures.pooled_ne(found)


def _fill(
    report: Report,
    knob: str,
    found: Mapping[float, Courses],
    teachers: Mapping[float, float],
    ticks: Mapping[float, str],
    *,
    log_x: bool,
) -> None:
    arms = [name for name in next(iter(next(iter(found.values())).values())).parts if name != "control"]
    pooled = Table("Pooled over the sample", (knob, "NE teacher", "NE control", *arms))
    each = Table("Each model", ("model", knob, "NE control", *arms))
    series = {arm: Series(arm, [], []) for arm in arms if not arm.endswith("gated")}
    models = list(dict.fromkeys(model for model, _ in next(iter(found.values()))))
    for value, courses in found.items():
        lifts = {arm: figures.lift(courses, arm) for arm in arms}
        pooled.add(ticks[value], teachers[value], figures.ne(courses, "control"), *lifts.values())
        for arm, line in series.items():
            _point(line, value, lifts[arm])
        for model in models:
            mine = figures.of_models(courses, [model])
            each.add(model, ticks[value], figures.ne(mine, "control"), *(figures.lift(mine, arm) for arm in arms))
    report.tables += [pooled, each]
    report.pictures.append(
        Picture(report.title, knob, "NE gain over the control, %", list(series.values()), log_x, dict(ticks))
    )


def _point(line: Series, x: float, lift: Figure) -> None:
    line.x.append(x)
    line.y.append(lift.value)
    line.low.append(lift.value if lift.low is None else lift.low)
    line.high.append(lift.value if lift.high is None else lift.high)
