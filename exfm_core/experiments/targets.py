"""The main table: lift of the presets on every model, with the control's neighbours, placebos, starters and the
pooled reference beside it."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import replace

from exfm_core.experiments import figures
from exfm_core.experiments.arms import STARTERS, named
from exfm_core.experiments.figures import FIRST_TENTH
from exfm_core.experiments.lab import BENCHES, Bench, Courses, Lab
from exfm_core.experiments.report import Picture, Report, Series, Table
from exfm_core.experiments.stage import Stage
from exfm_core.experiments.work import PARTS, Piece
from exfm_core.metrics.sums import BucketSums, normalized_entropy

PRESETS = ("safe", "safe, open", "strong", "strong, open")
DEFAULT_GROUPS = ("neighbours", "safe", "strong", "placebos")


def targets(lab: Lab, recipe: str, models: Sequence[str] = (), groups: Sequence[str] = (), world: int = 0) -> Report:
    """Run a recipe's models (its bench's by default) with groups of arms (all that the main table shows by default).

    Models that are named run every seed. ``world``: seed of the data of a synthetic recipe.
    """
    bench = BENCHES[recipe]
    if models:
        bench = replace(bench, once=())
    stage = lab.stage(bench, **({"seed": world} if world else {}))
    chosen = tuple(models) or bench.models
    wanted = tuple(groups) or DEFAULT_GROUPS
    arms = named(wanted)
    courses = lab.study(bench, stage, chosen, arms)
    report = Report(
        f"targets-{recipe}" + (f"-world-{world}" if world else ""),
        f"Lift on {recipe}" + (f", world {world}" if world else ""),
        f"{stage.title}. How much do the presets lift each vertical model over the same model without a teacher?",
        _command(recipe, models, groups) + (f" --world {world}" if world else "") + lab.flags,
        about(bench, stage, lab),
    )
    report.tables.append(_models(courses, bench, chosen, [arm.name for arm in arms if arm.name in PRESETS]))
    if len(chosen) > 1:
        report.tables.append(_pooled(courses, bench, chosen, [arm.name for arm in arms[1:]]))
    if "neighbours" in wanted:
        report.tables.append(_neighbours(courses, chosen))
    report.tables.append(_teacher(lab, stage, courses, chosen))
    if not groups:
        started = [model for model in chosen if not bench.started or model in bench.started]
        report.tables.append(_starters(lab, bench, stage, courses, started))
    report.pictures.append(_stream(courses, bench, chosen, [name for name in ("safe", "strong") if name in wanted]))
    report.seconds = lab.seconds
    return report


def _command(recipe: str, models: Sequence[str], groups: Sequence[str]) -> str:
    if not models and not groups:
        return f"python -m exfm_core experiment targets-{recipe}"
    chosen = f" --models {','.join(models)}" if models else ""
    return f"python -m exfm_core recipe {recipe}{chosen} --arms {','.join(groups)}"


def about(bench: Bench, stage: Stage, lab: Lab) -> dict[str, object]:
    """What was run, for the page's head."""
    main = next(iter(stage.students.values())).spec
    teacher, rates = stage.foundation.model, stage.foundation.optimizer
    return {
        "rows": sum(part.rows for period in stage.periods for part in period.values()),
        "periods": f"{len(stage.periods)}, of which the first {stage.warm_up} train the foundation model alone",
        "partition of a vertical model": "one period" if bench.join == 1 else f"{bench.join} periods",
        "seeds": f"{', '.join(map(str, lab.seeds))} (of all weights: vertical models', teacher's and starters')",
        "vertical model": f"{main.model.backbone}, embeddings {main.model.embedding_dim}, "
        f"MLP {'-'.join(map(str, main.model.mlp))}, batch {main.optimizer.batch_size}, "
        f"Adam {main.optimizer.dense_lr:g}, row-wise Adagrad {main.optimizer.embedding_lr:g}",
        "teacher": f"{teacher.backbone}, embeddings {teacher.embedding_dim}, MLP {'-'.join(map(str, teacher.mlp))}, "
        f"batch {rates.batch_size}, Adam {rates.dense_lr:g}, Adagrad {rates.embedding_lr:g}, delay of one period",
        "rates and sizes were chosen on": ", ".join(bench.tuning) or "all models, seed 0",
        "machine": f"{os.cpu_count()}-core {platform.machine()}, CPU only, one thread a process, other work beside it",
        "figures": "lift in %: value ± standard deviation over seeds [95 % bootstrap over user buckets]",
    }


def sections(bench: Bench, chosen: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Models by group: the bench's groups, all of them together, and the tuning ones apart."""
    kept = {name: tuple(m for m in models if m in chosen) for name, models in bench.groups.items()}
    kept = {name: models for name, models in kept.items() if models}
    reported = tuple(model for models in kept.values() for model in models)
    if len(kept) > 1:
        kept["all reported"] = reported
    tuning = tuple(model for model in bench.tuning if model in chosen)
    return {**kept, **({"tuning": tuning} if tuning else {})}


def _models(courses: Courses, bench: Bench, chosen: Sequence[str], arms: Sequence[str]) -> Table:
    table = Table("Each model", ("model", "rows", "NE control", "AUC control", *arms, "gate open, strong"))
    for model in chosen:
        mine = figures.of_models(courses, [model])
        first = next(iter(mine.values()))
        gates = [result.gates["strong"].mean() for result in mine.values() if "strong" in result.gates]
        table.add(
            f"{model} (tuning)" if model in bench.tuning else model,
            first.sums("control").rows,
            figures.ne(mine, "control"),
            figures.auc(mine, "control"),
            *(figures.lift(mine, arm) for arm in arms),
            f"{sum(gates) / len(gates):.0%}" if gates else None,
        )
    return table


def _pooled(courses: Courses, bench: Bench, chosen: Sequence[str], arms: Sequence[str]) -> Table:
    parts = sections(bench, chosen)
    table = Table("Pooled over models", ("arm", *parts, *(f"{name}, first tenth" for name in parts)))
    for arm in arms:
        whole = [figures.lift(figures.of_models(courses, models), arm) for models in parts.values()]
        early = [figures.lift(figures.of_models(courses, models), arm, parts=FIRST_TENTH) for models in parts.values()]
        table.add(arm, *whole, *early)
    return table


def _neighbours(courses: Courses, chosen: Sequence[str]) -> Table:
    names = [arm.name for arm in named(("neighbours",))]
    table = Table(
        "The control and its neighbours: NE (first seed)",
        ("model", *names, "best neighbour gains %", *(f"{arm} over the best neighbour" for arm in ("safe", "strong"))),
    )
    for model in chosen:
        mine = figures.of_models(courses, [model])
        mine = {place: result for place, result in mine.items() if names[1] in result.parts}
        nes = [figures.ne(mine, name) for name in names]
        best = min(names[1:], key=lambda name: figures.ne(mine, name))
        over = [figures.lift(mine, arm, over=best) for arm in ("safe", "strong")]
        table.add(model, *nes, figures.lift(mine, best), *over)
    return table


def _teacher(lab: Lab, stage: Stage, courses: Courses, chosen: Sequence[str]) -> Table:
    table = Table(
        "Transfer ratio: NE gain of the model ÷ NE gain of the teacher over the control",
        ("model", "NE control", "NE teacher", "teacher's gain %", "safe", "strong"),
    )
    for model in chosen:
        student = stage.students[model]
        kind = stage.tenants[student.tenant].schema.task(student.spec.model.task).kind
        taught = BucketSums.merge([lab.teach(stage, seed).sums(1, student.tenant, kind) for seed in lab.seeds])
        mine = figures.of_models(courses, [model])
        ne, ne_teacher = figures.ne(mine, "control"), normalized_entropy(taught).value or float("nan")
        gain = 100.0 * (1.0 - ne_teacher / ne)
        ran = next(iter(mine.values())).parts
        lifts = [figures.lift(mine, arm).value if arm in ran else None for arm in ("safe", "strong")]
        ratios = [f"{lift / gain:.2f}" if gain > 0 and lift is not None else None for lift in lifts]
        table.add(model, ne, ne_teacher, f"{gain:+.2f}", *ratios)
    return table


def _starters(lab: Lab, bench: Bench, stage: Stage, courses: Courses, chosen: Sequence[str]) -> Table:
    pieces = [
        Piece(
            stage,
            model,
            seed,
            STARTERS,
            lab.teach(stage, seed),
            stage.students[model].spec,
            join=bench.join,
            starter=lab.starter(stage, model, seed, chosen),
        )
        for model in chosen
        for seed in lab.seeds
    ]
    started = lab.run(pieces)
    names = [arm.name for arm in STARTERS]
    table = Table(
        "Starters: lift over the cold control",
        (
            "model",
            *names,
            *(f"{name}, first tenth" for name in ("starter", "starter + strong")),
            "strong over the starter",
            "pooled reference, NE",
            "pooled reference, gain %",
        ),
        remark="A starter is of the model's own shape, trained before the launch on the streams of tenants none of "
        "which is in this table. It goes on at half the dense rate. Gates judge the label against the started model. "
        "Pooled reference (first seed): one model of that shape for all tenants; where it wins by far, merge them.",
    )
    for model in chosen:
        mine = figures.of_models(started, [model])
        rivals = figures.of_models(courses, [model])
        student = stage.students[model]
        pooled = BucketSums.merge(
            [BucketSums(*lab.pooled(stage, model, seed)[student.tenant]) for seed in lab.seeds[:1]]
        )
        ne_pooled = normalized_entropy(pooled).value or float("nan")
        table.add(
            model,
            *(figures.lift(mine, name, rivals=rivals) for name in names),
            *(figures.lift(mine, name, rivals=rivals, parts=FIRST_TENTH) for name in ("starter", "starter + strong")),
            figures.lift(mine, "starter + strong", over="starter"),
            ne_pooled,
            f"{100.0 * (1.0 - ne_pooled / figures.ne(rivals, 'control')):+.2f}",
        )
    groups = sections(bench, chosen)
    for group, models in groups.items():
        mine, rivals = figures.of_models(started, models), figures.of_models(courses, models)
        table.add(
            f"pooled: {group}",
            *(figures.lift(mine, name, rivals=rivals) for name in names),
            *(figures.lift(mine, name, rivals=rivals, parts=FIRST_TENTH) for name in ("starter", "starter + strong")),
            figures.lift(mine, "starter + strong", over="starter"),
            None,
            None,
        )
    return table


def _stream(courses: Courses, bench: Bench, chosen: Sequence[str], arms: Sequence[str]) -> Picture:
    series = []
    shown = {name: models for name, models in sections(bench, chosen).items() if name in bench.groups}
    for group, models in (shown or sections(bench, chosen)).items():
        mine = figures.of_models(courses, models)
        for arm in arms:
            found = [figures.lift(mine, arm, parts=slice(part, part + 1)) for part in range(PARTS)]
            series.append(
                Series(
                    f"{arm}, {group}",
                    [10.0 * (part + 0.5) for part in range(PARTS)],
                    [figure.value for figure in found],
                    [figure.low or figure.value for figure in found],
                    [figure.high or figure.value for figure in found],
                )
            )
    return Picture("Lift along the stream", "share of the stream seen, %", "NE gain over the control, %", series)
