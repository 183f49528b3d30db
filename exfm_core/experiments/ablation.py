"""The paper's variants side by side, with placebos: which lever brings what."""

from __future__ import annotations

from exfm_core.experiments import figures
from exfm_core.experiments.arms import CONTROL, GROUPS
from exfm_core.experiments.figures import FIRST_TENTH
from exfm_core.experiments.lab import BENCHES, Lab
from exfm_core.experiments.report import Report, Table
from exfm_core.experiments.targets import about


def ablation(lab: Lab, recipe: str) -> Report:
    """None, single-head KD, AH, AH with each lever, all, strong; placebos of both presets. Gates left open."""
    bench = BENCHES[recipe]
    stage = lab.stage(bench)
    arms = (CONTROL, *GROUPS["ablation"], *GROUPS["placebos"][:3], *GROUPS["safe-placebos"])
    courses = lab.study(bench, stage, lab.sample(bench), arms)
    report = Report(
        f"ablation-{recipe}",
        f"Which lever brings what, on {recipe}",
        "The baselines and variants of the method and the presets, over the same model without a teacher. The label "
        "gate is left open throughout, so that levers are compared and not gates. GS: gradient scaling, LS: label "
        "scaling, LW: loss weight, SA: student adapter.",
        f"python -m exfm_core experiment ablation-{recipe}{lab.flags}",
        about(bench, stage, lab),
    )
    table = Table("Arms", ("arm", "pooled", "first tenth", *lab.sample(bench)))
    for arm in arms[1:]:
        each = [figures.lift(figures.of_models(courses, [model]), arm.name) for model in lab.sample(bench)]
        whole, early = figures.lift(courses, arm.name), figures.lift(courses, arm.name, parts=FIRST_TENTH)
        table.add(arm.name, whole, early, *each)
    table.remark = "Placebos are of the preset *strong* unless they are named *safe*, and of the first seed. " + (
        f"NE of the control: {figures.ne(courses, 'control'):.4f}."
    )
    report.tables.append(table)
    share = Table("Teacher's share: lift less the true label twice", ("preset", "lift", "true label twice", "share"))
    named = {"strong": "placebo: true label", "AH + SA (safe)": "safe placebo: true label"}
    for preset, placebo in named.items():
        lift, same = figures.lift(courses, preset), figures.lift(courses, placebo)
        share.add(preset, lift, same, f"{lift.value - same.value:+.2f}")
    report.tables.append(share)
    report.seconds = lab.seconds
    return report
