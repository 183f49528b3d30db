"""Co-distillation, the baseline that logged labels replace: what does a teacher in the loop bring, and cost?"""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np

from exfm_core.experiments import cache, figures, pool
from exfm_core.experiments.arms import CONTROL, STRONG
from exfm_core.experiments.cache import Arrays
from exfm_core.experiments.lab import BENCHES, Lab
from exfm_core.experiments.report import Report, Table
from exfm_core.experiments.stage import Stage
from exfm_core.experiments.targets import about
from exfm_core.metrics.sums import BucketSums, normalized_entropy, pooled_lift
from exfm_core.train.arms import Arm
from exfm_core.train.codistill import codistill
from exfm_core.train.foundation import FoundationTrainer
from exfm_core.train.foundation_rows import Stream
from exfm_core.train.gate import Limits


def codistillation(lab: Lab, recipe: str) -> Report:
    """*strong* from logged labels of the shared teacher, against *strong* from a teacher in the model's own loop."""
    bench = BENCHES[recipe]
    stage = lab.stage(bench)
    courses = lab.study(bench, stage, lab.sample(bench), (CONTROL, Arm("strong", STRONG, gated=False)))
    report = Report(
        f"codistillation-{recipe}",
        f"Logged labels against a teacher in the loop, on {recipe}",
        "Co-distillation trains a teacher together with each model. Here it begins from all tenants' rows before the "
        "launch, then sees the model's own stream alone, but every row as fresh as can be. External distillation logs "
        "the labels of one shared teacher, a period old. Both teach *strong*, gates open.",
        f"python -m exfm_core experiment codistillation-{recipe}{lab.flags}",
        about(bench, stage, lab),
    )
    table = Table(
        "By model",
        (
            "model",
            "external: lift",
            "in the loop: lift",
            "external: NE teacher",
            "in the loop: NE teacher",
            "external: teacher's seconds by tenant",
            "in the loop: teacher's seconds",
        ),
        remark="Seconds of one core, first seed, with other work on the machine: in the loop since the launch; "
        "outside over the teacher's whole life, scoring and publishing included, divided by the tenants.",
    )
    for model in lab.sample(bench):
        student = stage.students[model]
        kind = stage.tenants[student.tenant].schema.task(student.spec.model.task).kind
        loops = [_loop(lab, stage, model, seed, bench.join) for seed in lab.seeds]
        pairs = [(BucketSums(*loop["control"]), BucketSums(*loop["student"])) for loop in loops]
        whole = pooled_lift(pairs)
        each = tuple(pooled_lift([pair]).value or 0.0 for pair in pairs)
        taught = [lab.teach(stage, seed) for seed in lab.seeds]
        outside = BucketSums.merge([teaching.sums(1, student.tenant, kind) for teaching in taught])
        inside = BucketSums.merge([BucketSums(*loop["teacher"]) for loop in loops])
        spent, own = sum(taught[0].about["seconds"].values()), json.loads(str(loops[0]["seconds"]))
        table.add(
            model,
            figures.lift(figures.of_models(courses, [model]), "strong"),
            figures.Figure(whole.value or 0.0, whole.low, whole.high, each),
            normalized_entropy(outside).value,
            normalized_entropy(inside).value,
            f"{spent / len(stage.tenants):.1f}",
            f"{own['fm_forward'] + own['fm_update']:.1f}",
        )
    report.tables.append(table)
    report.seconds = lab.seconds
    return report


def _loop(lab: Lab, stage: Stage, model: str, seed: int, join: int) -> Arrays:
    student = stage.students[model]
    spec = replace(student.spec, seed=seed, supervision=STRONG)
    foundation = replace(stage.foundation, seed=seed)

    def make() -> Arrays:
        pool.settle()
        teacher = FoundationTrainer(foundation)
        for period in stage.periods[: stage.warm_up]:
            streams = [Stream(p.open(), stage.tenants[n].schema, stage.tenants[n].slot) for n, p in period.items()]
            teacher.train(streams, None, Limits())
        tenant = stage.tenants[student.tenant]
        partitions = [part for _, part in stage.stream(student.tenant, stage.warm_up, join)]
        course = codistill(foundation, spec, tenant.schema, partitions, slot=tenant.slot, teacher=teacher)
        found = {"student": course.student, "control": course.control, "teacher": course.teacher}
        arrays: Arrays = {name: np.stack([s.n, s.y, s.loss, s.p]) for name, s in found.items()}
        return {**arrays, "seconds": np.array(json.dumps(course.seconds))}

    return lab.store.made(cache.key("joint", stage.name, spec, foundation, model, join), make)
