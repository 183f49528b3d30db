"""The arms that experiments compare, by the names that tables and the command line use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from exfm_core.errors import SpecError
from exfm_core.spec import Supervision
from exfm_core.train.arms import Arm, neighbours, placebos

CONTROL = Arm("control")
SAFE, STRONG = Supervision("safe"), Supervision("strong")


def _custom(**levers: Any) -> Supervision:
    return Supervision("custom", **{"w": 0.0, **levers})


VARIANTS: dict[str, Supervision] = {
    "single-head KD": _custom(w_single=1.0),
    "AH": _custom(w=1.0),
    "AH + GS (β = 3)": _custom(w=1.0, beta=3.0),
    "AH + LS (α = 1.5)": _custom(w=1.0, alpha=1.5),
    "AH + LW (w = 3)": _custom(w=3.0),
    "SA branch only": _custom(w_sa=1.0),
    "AH + SA (safe)": SAFE,
    "all (GS, LS, LW, SA)": _custom(w=1.5, beta=2.0, alpha=1.5, w_sa=1.0),
    "strong": STRONG,
    "strong + SA": _custom(w=1.0, w_sa=1.0, w_kd=1.0),
}
"""The paper's baselines and variants (METHOD §2), and the presets beyond them."""

GROUPS: dict[str, tuple[Arm, ...]] = {
    "safe": (Arm("safe", SAFE), Arm("safe, open", SAFE, gated=False)),
    "strong": (Arm("strong", STRONG), Arm("strong, open", STRONG, gated=False)),
    "neighbours": neighbours(),
    "placebos": (*placebos(STRONG), Arm("placebo: shuffled, gated", STRONG, teacher="shuffled")),
    "safe-placebos": tuple(replace(arm, name=f"safe {arm.name}") for arm in placebos(SAFE)),
    "weights": (
        Arm("safe, w = 3", _custom(w=3.0, w_sa=1.0)),
        Arm("strong, w = 3", _custom(w=3.0, w_kd=1.0)),
    ),
    "ablation": tuple(Arm(name, supervision, gated=False) for name, supervision in VARIANTS.items()),
}
"""What ``--arms`` takes. Gated as in production; "open" leaves the label gate open."""

STARTERS: tuple[Arm, ...] = (
    Arm("starter", dense_lr_scale=0.5, starter=True),
    Arm("starter + strong", STRONG, dense_lr_scale=0.5, starter=True),
)
"""Run apart from the control, so that their gate judges the label against the started model itself."""


def named(groups: Sequence[str]) -> tuple[Arm, ...]:
    """The control and the arms of some groups. SpecError names the groups there are."""
    unknown = [group for group in groups if group not in GROUPS]
    if unknown:
        raise SpecError("arms.unknown", f"There are no arms {unknown[0]!r}.", f"Choose of: {', '.join(GROUPS)}.")
    return (CONTROL, *(arm for group in groups for arm in GROUPS[group]))


ONCE = tuple(arm.name for group in ("neighbours", "placebos", "safe-placebos") for arm in GROUPS[group])
"""Arms that check the control and the teacher; one seed of them is enough."""


def of_seed(arms: Sequence[Arm], *, first: bool) -> tuple[Arm, ...]:
    """The arms that a seed runs: checks are for the first seed only."""
    return tuple(arm for arm in arms if first or arm.name not in ONCE)
