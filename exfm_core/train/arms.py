"""Arms: the courses of training that a study compares, all over one read of the data.

The control has no heads beside the serving head. A treatment learns from a teacher: the foundation model's logged
logits, or a placebo in their place. A placebo keeps the coverage and loses the knowledge; lift that it also shows is
not the teacher's (METHOD §5: teacher's share = lift − same-label placebo).
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from torch import Tensor

from exfm_core.errors import SpecError
from exfm_core.spec import Supervision, VerticalSpec
from exfm_core.spec.run import ArmSpec

CERTAIN: Final = 4.0
"""Logit that the placebo `true_label` gives a positive row; a negative one gets its opposite."""
CONTROL, TREATMENT = "control", "treatment"

Logits = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Arm(ArmSpec):
    """One course of training: see `ArmSpec` for its fields."""

    def spec(self, spec: VerticalSpec) -> VerticalSpec:
        """The spec that this arm trains: learning rates scaled, all else as it is."""
        if self.dense_lr_scale == 1.0 and self.embedding_lr_scale == 1.0:
            return spec
        rates = spec.optimizer
        scaled: dict[str, Any] = {
            "dense_lr": rates.dense_lr * self.dense_lr_scale,
            "embedding_lr": rates.embedding_lr * self.embedding_lr_scale,
        }
        return replace(spec, optimizer=replace(rates, **scaled))

    def labels(self, logits: Logits, seed: int) -> Logits:
        """What teaches this arm in place of the label set `logits` [rows], NaN where a row has none.

        The shuffle is drawn from `seed` and the logits themselves, so a resumed course draws the same one. Rows' own
        labels (`true_label`) are known batch by batch only: `own` gives those.
        """
        covered = np.isfinite(logits)
        found = logits
        if self.teacher == "shuffled":
            generator = np.random.default_rng([seed, zlib.crc32(logits.tobytes())])
            found = logits.copy()
            found[covered] = generator.permutation(logits[covered])
        elif self.teacher == "constant" and covered.any():
            found = np.where(covered, logits[covered].mean(), np.nan).astype(np.float32)
        return found if self.shift == 0.0 else np.asarray(found + np.float32(self.shift), np.float32)

    def own(self, y_b: Tensor) -> Tensor:
        """The placebo `true_label` of a batch: ±4 by the row's label, and the shift."""
        return (2.0 * y_b - 1.0) * CERTAIN + self.shift


def resolve(arms: Sequence[str | Arm], spec: VerticalSpec) -> tuple[Arm, ...]:
    """The arms meant: `control` and `treatment` (the spec's own supervision) by name, others as they stand."""
    known = {CONTROL: Arm(CONTROL), TREATMENT: Arm(TREATMENT, spec.supervision)}
    found: list[Arm] = []
    for arm in arms:
        if isinstance(arm, str) and arm not in known:
            raise SpecError(
                "arms.unknown", f"There is no arm {arm!r} by name.", "Use 'control', 'treatment' or an Arm."
            )
        found.append(known[arm] if isinstance(arm, str) else arm)
    names = [arm.name for arm in found]
    if not names or len(set(names)) != len(names):
        raise SpecError("arms.names", f"The arms are named {', '.join(names) or 'nothing'}.", "Name each arm, once.")
    return tuple(found)


def neighbours(scale: float = 2.0) -> tuple[Arm, ...]:
    """Controls at other learning rates: dense and embedding rate, each divided and multiplied by `scale`.

    A control that a neighbour beats by far was not tuned, and a lift over it says little.
    """
    return (
        Arm(f"control, dense ÷ {scale:g}", dense_lr_scale=1 / scale),
        Arm(f"control, dense × {scale:g}", dense_lr_scale=scale),
        Arm(f"control, embedding ÷ {scale:g}", embedding_lr_scale=1 / scale),
        Arm(f"control, embedding × {scale:g}", embedding_lr_scale=scale),
    )


def placebos(supervision: Supervision) -> tuple[Arm, ...]:
    """The three placebos of METHOD §5 with `supervision`, their gates left open so that they act."""
    return (
        Arm("placebo: shuffled", supervision, teacher="shuffled", gated=False),
        Arm("placebo: constant", supervision, teacher="constant", gated=False),
        Arm("placebo: true label", supervision, teacher="true_label", gated=False),
    )


def same_label_placebo(arm: ArmSpec, arms: Sequence[ArmSpec]) -> ArmSpec | None:
    """The arm among `arms` that is `arm` with the row's true label in the teacher's place; None without one.

    Teacher's share of a lift = lift − this placebo's lift (METHOD §5).
    """
    if arm.supervision is None or arm.teacher == "true_label":
        return None

    def levers(one: ArmSpec) -> tuple[Any, ...]:
        return one.supervision, one.dense_lr_scale, one.embedding_lr_scale, one.starter

    return next((one for one in arms if one.teacher == "true_label" and levers(one) == levers(arm)), None)
