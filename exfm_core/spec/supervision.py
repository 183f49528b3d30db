"""How the foundation model's logged labels teach a vertical model: the loss weights of METHOD §2 and their presets."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

from exfm_core.errors import SpecError
from exfm_core.spec.record import Record, check_choice, check_float, check_int

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

_LEVERS = ("alpha", "beta", "w", "w_sa", "w_kd", "beta_sa")


@dataclass(frozen=True, slots=True)
class Supervision(Record):
    """Loss = L_s + w·L_d + w_sa·L_sa + w_kd·L_ckd.

    ``alpha`` scales the teacher's probability, ``beta`` and ``beta_sa`` scale the gradient that the auxiliary heads
    send into the backbone. A named preset fixes every lever: a value that contradicts it is refused, use ``custom``.
    ``aux_width`` and ``adapter_width`` are hidden widths; neither is served.
    """

    preset: Preset = "safe"
    alpha: float = 1.0
    beta: float = 1.0
    w: float = 1.0
    w_sa: float = 0.0
    w_kd: float = 0.0
    beta_sa: float = 1.0
    aux_width: int = 128
    adapter_width: int = 16

    def __post_init__(self) -> None:
        check_choice(self.preset, ("none", "safe", "strong", "custom"), "Supervision.preset")
        check_float(self.alpha, "Supervision.alpha", 0.0, 100.0, open_low=True)
        for name in ("beta", "w", "w_sa", "w_kd", "beta_sa"):
            check_float(getattr(self, name), f"Supervision.{name}", 0.0, 100.0)
        check_int(self.aux_width, "Supervision.aux_width", 1, 1024)
        check_int(self.adapter_width, "Supervision.adapter_width", 1, 256)
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
        return self.w > 0 or self.w_sa > 0 or self.w_kd > 0

    @property
    def same_task_only(self) -> bool:
        """True if the recipe may be used only with a teacher of the same task kind, behind an open label gate."""
        return self.w_kd > 0
