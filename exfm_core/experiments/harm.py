"""Teachers that should not be trusted: of another task, shifted, cold, shuffled. Does the label gate keep them out?"""

from __future__ import annotations

from dataclasses import replace

from exfm_core.experiments import figures
from exfm_core.experiments.arms import CONTROL, SAFE, STRONG, VARIANTS
from exfm_core.experiments.figures import FIRST_TENTH
from exfm_core.experiments.lab import BENCHES, Bench, Courses, Lab
from exfm_core.experiments.report import Report, Table
from exfm_core.experiments.stage import Stage
from exfm_core.experiments.targets import about
from exfm_core.experiments.work import Piece
from exfm_core.train.arms import Arm

SHIFT = 0.8
PRESETS = (
    Arm("safe", SAFE),
    Arm("safe, open", SAFE, gated=False),
    Arm("strong", STRONG),
    Arm("strong, open", STRONG, gated=False),
    Arm("single-head KD, open", VARIANTS["single-head KD"], gated=False),
)


def harm(lab: Lab, recipe: str) -> Report:
    """Foreign-task (where the recipe has two tasks), shifted, cold and shuffled teachers, gated and open."""
    bench = BENCHES[recipe]
    stage = lab.stage(bench)
    report = Report(
        f"harm-{recipe}",
        f"Teachers not to be trusted, on {recipe}",
        "What do presets lose under a teacher of another task, one whose logits are shifted, one that starts together "
        "with the model, and one whose labels are shuffled; with the label gate and with it left open?",
        f"python -m exfm_core experiment harm-{recipe}{lab.flags}",
        about(bench, stage, lab),
    )
    names = [arm.name for arm in PRESETS]
    pooled = Table("Pooled over the sample", ("teacher", *names, *(f"{name}, first tenth" for name in names)))
    each = Table("Each model", ("teacher", "model", *names, "gate open: safe", "gate open: strong"))
    harmed: list[str] = []
    for teacher, courses in _teachers(lab, bench, stage).items():
        whole = [figures.lift(courses, name) for name in names]
        early = [figures.lift(courses, name, parts=FIRST_TENTH) for name in names]
        pooled.add(teacher, *whole, *early)
        for model in lab.sample(bench):
            mine = figures.of_models(courses, [model])
            lifts = {name: figures.lift(mine, name) for name in names}
            gates = [_open(mine, name) for name in ("safe", "strong")]
            each.add(teacher, model, *lifts.values(), *gates)
            harmed += [f"{model}, {name}, {teacher}: {lifts[name]}" for name in ("safe", "strong") if lifts[name].harm]
    report.tables += [pooled, each]
    report.remarks.append(
        "Significantly harmed behind the gate (whole interval below zero): " + ("; ".join(harmed) or "none") + "."
    )
    report.seconds = lab.seconds
    return report


def _teachers(lab: Lab, bench: Bench, stage: Stage) -> dict[str, Courses]:
    found = {"its own task": lab.study(bench, stage, lab.sample(bench), (CONTROL, *PRESETS))}
    kinds = stage.foundation.model.task_kinds
    if len(kinds) == 2:
        found["the other task"] = lab.run(
            [
                Piece(
                    stage,
                    model,
                    seed,
                    (CONTROL, *PRESETS),
                    lab.teach(stage, seed),
                    stage.students[model].spec,
                    kind=kinds[1 - kinds.index(_kind(stage, model))],
                    join=bench.join,
                )
                for model in lab.sample(bench)
                for seed in lab.seeds
            ]
        )
    for shift in (SHIFT, -SHIFT):
        found[f"logit {shift:+g}"] = lab.study(bench, stage, lab.sample(bench), (CONTROL, *_all(shift=shift)))
    found["shuffled"] = lab.study(bench, stage, lab.sample(bench), (CONTROL, *_all(teacher="shuffled")))
    found["cold: starts with the model"] = lab.study(bench, stage, lab.sample(bench), (CONTROL, *PRESETS), launch=0)
    return found


def _all(**changes: object) -> tuple[Arm, ...]:
    return tuple(replace(arm, **changes) for arm in PRESETS)  # type: ignore[arg-type]


def _kind(stage: Stage, model: str) -> str:
    student = stage.students[model]
    return stage.tenants[student.tenant].schema.task(student.spec.model.task).kind


def _open(courses: Courses, arm: str) -> str:
    shares = [float(result.gates[arm].mean()) for result in courses.values()]
    return f"{sum(shares) / len(shares):.0%}"
