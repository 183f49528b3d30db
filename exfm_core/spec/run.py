"""A whole run without the platform: streams, the foundation model, vertical models, their arms and seeds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Final, Literal

from exfm_core.errors import SpecError
from exfm_core.spec.features import StreamSchema
from exfm_core.spec.foundation import FoundationSpec
from exfm_core.spec.record import Range, Record, check_choice, check_int, check_unique
from exfm_core.spec.supervision import Supervision
from exfm_core.spec.vertical import VerticalSpec

TeacherKind = Literal["fm", "shuffled", "constant", "true_label"]
TEACHERS: Final[tuple[TeacherKind, ...]] = ("fm", "shuffled", "constant", "true_label")
MAX_SCALE: Final = 100.0


@dataclass(frozen=True, slots=True)
class ArmSpec(Record):
    """One course of training of a vertical model.

    ``supervision`` None: a control. ``teacher``: what stands in the label set's place; ``shuffled`` permutes the
    covered rows' logits inside the partition, ``constant`` gives all of them their mean, ``true_label`` gives ±4 by the
    row's own label. ``shift`` is added to the teacher's logit. ``gated`` false leaves the label gate open. The scales
    multiply the spec's learning rates. ``starter``: begins from the starter's weights.
    """

    name: str
    supervision: Supervision | None = None
    teacher: TeacherKind = "fm"
    shift: float = 0.0
    gated: bool = True
    dense_lr_scale: float = 1.0
    embedding_lr_scale: float = 1.0
    starter: bool = False

    def __post_init__(self) -> None:
        if not self.name or self.name in ("read", "total"):
            raise self._wrong(f"its name is {self.name!r}", "Name it, other than 'read' and 'total'.")
        check_choice(self.teacher, TEACHERS, f"Arm {self.name!r}.teacher")
        if not math.isfinite(self.shift):
            raise self._wrong(f"its shift is {self.shift!r}", "Use a finite number of logits.")
        for scale in (self.dense_lr_scale, self.embedding_lr_scale):
            if not 0.0 < scale <= MAX_SCALE:
                raise self._wrong(f"a learning rate is scaled by {scale!r}", f"Use above 0, up to {MAX_SCALE:g}.")
        if self.supervision is None and (self.teacher != "fm" or self.shift):
            raise self._wrong("it has a teacher but no supervision", "Give it a supervision, or leave the teacher out.")

    def _wrong(self, fault: str, mend: str) -> SpecError:
        return SpecError("arms.wrong", f"Arm {self.name!r}: {fault}.", mend)


@dataclass(frozen=True, slots=True)
class ModelRun(Record):
    """A vertical model on its tenant's stream. ``arms`` empty: control and treatment, by the spec's supervision.

    ``launch`` (ISO 8601 with a time zone, "" = from the beginning): it reads no partition that starts before.
    ``starter``: path of a starter's file, for arms that begin from it.
    """

    name: str
    spec: VerticalSpec
    arms: tuple[ArmSpec, ...] = ()
    launch: str = ""
    starter: str = ""

    def __post_init__(self) -> None:
        _check_label(self.name, "ModelRun.name")
        check_unique(tuple(arm.name for arm in self.arms), f"The arms of model {self.name!r}")
        if self.launch and _instant(self.launch) is None:
            raise SpecError(
                "run.launch", f"Model {self.name!r} launches at {self.launch!r}.", "Write 2026-01-31T00:00:00+00:00."
            )

    @property
    def launch_at(self) -> datetime | None:
        """When it starts; None: from the beginning."""
        return _instant(self.launch) if self.launch else None


@dataclass(frozen=True, slots=True)
class TenantRun(Record):
    """A tenant: its stream (an fsspec address of a folder or manifest, relative to the spec's file), its schema, its
    slot in the foundation model, and its models. ``feeds``: whether the foundation model may train on it."""

    name: str
    stream: str
    schema: StreamSchema
    slot: Annotated[int, Range(1, 65_535), "Slot in the foundation model"]
    models: tuple[ModelRun, ...] = ()
    feeds: bool = True

    def __post_init__(self) -> None:
        self.check_ranges()
        _check_label(self.name, "TenantRun.name")
        check_unique(tuple(model.name for model in self.models), f"The models of tenant {self.name!r}")
        for model in self.models:
            model.spec.model.resolve(self.schema)


@dataclass(frozen=True, slots=True)
class RunSpec(Record):
    """The whole loop of METHOD §3 over several tenants' streams.

    Partitions that end in the same ``period_seconds`` of UTC (0: at the same instant) are one period of the foundation
    model. ``seeds``: each trains every vertical model once more, under the one teacher. ``tolerance``,
    ``calibration_low`` and ``calibration_high`` are the publishing gate's limits.
    """

    foundation: FoundationSpec
    tenants: tuple[TenantRun, ...]
    seeds: tuple[int, ...] = (0,)
    period_seconds: Annotated[int, Range(0, 31_536_000), "Length of a period; 0: by equal ends"] = 0
    tolerance: Annotated[float, Range(0.0, 1.0), "Tolerated relative worsening of NE"] = 0.02
    calibration_low: Annotated[float, Range(0.0, 1.0), "Least Σp ÷ Σy"] = 0.8
    calibration_high: Annotated[float, Range(1.0, 1e9), "Greatest Σp ÷ Σy"] = 1.25
    backend: Literal["fused", "plain"] = "fused"
    threads: Annotated[int, Range(1, 256)] = 1
    schema_version: Literal[1] = field(default=1)

    def __post_init__(self) -> None:
        self.check_ranges()
        check_choice(self.backend, ("fused", "plain"), "RunSpec.backend")
        if not self.tenants or not self.seeds:
            raise SpecError("run.empty", "RunSpec has no tenant or no seed.", "Name one of each at least.")
        for seed in self.seeds:
            check_int(seed, "RunSpec.seeds", 0, 2**31 - 1)
        check_unique(tuple(map(str, self.seeds)), "RunSpec.seeds")
        check_unique(tuple(tenant.name for tenant in self.tenants), "The tenants of RunSpec")
        check_unique(tuple(str(tenant.slot) for tenant in self.tenants), "The slots of RunSpec.tenants")
        for tenant in self.tenants:
            self.foundation.model.bind(tenant.schema)
            if tenant.slot >= self.foundation.model.tenant_slots:
                raise SpecError(
                    "run.slot",
                    f"Tenant {tenant.name!r} has slot {tenant.slot}, the foundation model "
                    f"{self.foundation.model.tenant_slots} slots.",
                    "Use a slot below tenant_slots.",
                )


def _check_label(name: str, path: str) -> None:
    if not name or not all(letter.isalnum() or letter in "-_." for letter in name) or name.startswith("."):
        raise SpecError("spec.bad_name", f"{path} is {name!r}.", "Use letters, digits, hyphens, dots, underscores.")


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
