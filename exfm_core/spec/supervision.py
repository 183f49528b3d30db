"""How the foundation model's logged labels teach a vertical model: the loss weights of METHOD §2 and their presets."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Literal

from exfm_core.errors import SpecError
from exfm_core.spec.record import Range, Record, check_choice

Preset = Literal["none", "safe", "strong", "custom"]

MAX_PULL = 3.0
"""Largest β·w: beyond it the teacher's gradient drowns the ground truth and small streams lose (measured)."""

PRESETS: dict[str, dict[str, float]] = {
    "none": {"w": 0.0, "w_sa": 0.0, "w_kd": 0.0},
    "safe": {"w": 1.0, "w_sa": 1.0, "w_kd": 0.0},
    "strong": {"w": 1.0, "w_sa": 0.0, "w_kd": 1.0},
}
"""none: control. safe: AH and SA; any teacher (w_sa = 1 is measured, docs/results/recipes.md). strong: AH and
calibrated KD; same-task teachers only."""

_WEIGHT = Range(0.0, 100.0)
_LEVERS = ("alpha", "beta", "w", "w_sa", "w_kd", "beta_sa", "w_single")


@dataclass(frozen=True, slots=True)
class Supervision(Record):
    """Loss = L_s + w·L_d + w_sa·L_sa + w_kd·L_ckd + w_single·h(s, q).

    ``alpha`` scales the teacher's probability, ``beta`` and ``beta_sa`` scale the gradient that the auxiliary heads
    send into the backbone. A named preset fixes every lever: a value that contradicts it is refused, use ``custom``.
    ``w_single`` is the baseline of a single head on the raw label, which inherits the teacher's bias.
    ``aux_width`` and ``adapter_width`` are hidden widths; neither is served.
    """

    preset: Preset = "safe"
    alpha: Annotated[float, Range(0.0, 100.0, open_low=True), "Label scaling"] = 1.0
    beta: Annotated[float, _WEIGHT, "Gradient scaling of the auxiliary head"] = 1.0
    w: Annotated[float, _WEIGHT, "Weight of the auxiliary head's loss"] = 1.0
    w_sa: Annotated[float, _WEIGHT, "Weight of the student adapter's loss"] = 0.0
    w_kd: Annotated[float, _WEIGHT, "Weight of calibrated distillation on the serving head"] = 0.0
    beta_sa: Annotated[float, _WEIGHT, "Gradient scaling of the adapter's head"] = 1.0
    aux_width: Annotated[int, Range(1, 1024)] = 128
    adapter_width: Annotated[int, Range(1, 256)] = 16
    w_single: Annotated[float, _WEIGHT, "Weight of the raw label on the serving head (baseline)"] = 0.0

    def __post_init__(self) -> None:
        check_choice(self.preset, ("none", "safe", "strong", "custom"), "Supervision.preset")
        self.check_ranges()
        if self.preset != "custom":
            self._apply_preset()
        for pull, formula in ((self.beta * self.w, "β·w"), (self.beta_sa * self.w_sa, "β_sa·w_sa")):
            if pull > MAX_PULL:
                raise SpecError(
                    "spec.pull_too_strong",
                    f"Supervision: {formula} is {pull:g}; beyond {MAX_PULL:g} the teacher drowns the ground truth.",
                    f"Lower one of the two so that their product is at most {MAX_PULL:g}.",
                )

    def _apply_preset(self) -> None:
        defaults = {field.name: field.default for field in dataclasses.fields(self)}
        for name in _LEVERS:
            fixed = PRESETS[self.preset].get(name, defaults[name])
            if getattr(self, name) not in (fixed, defaults[name]):
                raise SpecError(
                    "spec.preset_conflict",
                    f"Supervision.{name} is {getattr(self, name)!r}, but preset {self.preset!r} fixes it at {fixed!r}.",
                    "Leave it out, or set preset to 'custom'.",
                )
            object.__setattr__(self, name, fixed)

    @property
    def uses_teacher(self) -> bool:
        """True if any term reads the foundation model's labels."""
        return self.w > 0 or self.w_sa > 0 or self.w_kd > 0 or self.w_single > 0

    @property
    def same_task_only(self) -> bool:
        """True if the recipe may be used only with a teacher of the same task kind, behind an open label gate."""
        return self.w_kd > 0 or self.w_single > 0
