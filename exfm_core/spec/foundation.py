"""The shared teacher: its shape with the feature catalogue, and the complete spec that becomes an immutable version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from exfm_core.errors import SpecError
from exfm_core.spec.features import MAX_FEATURES, MAX_TASKS, Feature, StreamSchema
from exfm_core.spec.migrate import FOUNDATION, migrate
from exfm_core.spec.optimizer import Optimizer
from exfm_core.spec.record import Name, Range, Record, check_choice, check_count, check_int, check_name, check_unique
from exfm_core.spec.shape import FOUNDATION_BACKBONES, SCHEMA_VERSION, FoundationBackbone, check_shape, check_version

SequenceEncoder = Literal["mean", "attention"]


@dataclass(frozen=True, slots=True)
class FoundationModel(Record):
    """The shared teacher: features in catalogue names, one head per task kind, a bias per tenant slot.

    ``layers`` counts for wukong alone, ``cross_layers`` for dcnv2. ``sequence_encoder``: a sequence is the mean of its
    ids' vectors, or their mean weighed by a query learned per feature.
    """

    features: tuple[Feature, ...]
    task_kinds: tuple[Name, ...] = ("click",)
    backbone: FoundationBackbone = "dcnv2"
    embedding_dim: Annotated[int, Range(4, 512), "A multiple of 4"] = 16
    mlp: tuple[Annotated[int, Range(1, 8192)], ...] = (128, 64)
    cross_layers: Annotated[int, Range(0, 8)] = 1
    tenant_slots: Annotated[int, Range(1, 65536), "Tenants it can tell apart, slot 0 being the unseen one"] = 64
    layers: Annotated[int, Range(1, 16), "Stacked blocks of wukong"] = 2
    sequence_encoder: SequenceEncoder = "mean"

    def __post_init__(self) -> None:
        self.check_ranges()
        shape = (self.embedding_dim, self.mlp, self.cross_layers)
        check_shape("FoundationModel", self.backbone, FOUNDATION_BACKBONES, *shape)
        check_choice(self.sequence_encoder, ("mean", "attention"), "FoundationModel.sequence_encoder")
        if not self.features:
            raise SpecError("spec.no_features", "FoundationModel.features is empty.", "Declare at least one feature.")
        check_count(self.features, "FoundationModel.features", MAX_FEATURES)
        check_count(self.task_kinds, "FoundationModel.task_kinds", MAX_TASKS)
        check_unique(tuple(feature.name for feature in self.features), "FoundationModel.features")
        if not any(feature.sparse for feature in self.features):
            raise SpecError(
                "spec.no_sparse_feature", "The foundation model has no categorical or sequence feature.", "Add one."
            )
        if not self.task_kinds:
            raise SpecError("spec.no_tasks", "FoundationModel.task_kinds is empty.", "Name at least one task kind.")
        for kind in self.task_kinds:
            check_name(kind, "FoundationModel.task_kinds")
        check_unique(self.task_kinds, "FoundationModel.task_kinds")

    def bind(self, schema: StreamSchema) -> dict[str, Feature]:
        """Map a stream onto the catalogue: foundation feature name -> the stream's feature that feeds it.

        A catalogue feature that the stream lacks is absent from the answer (an empty bag when trained or scored).
        Raises SpecError if a catalogue name is unknown, of another kind, or no task kind has a head.
        """
        known = {feature.name: feature for feature in self.features}
        bound: dict[str, Feature] = {}
        for feature in schema.features:
            if not feature.catalogue:
                continue
            target = known.get(feature.catalogue)
            if target is None:
                raise SpecError(
                    "spec.unknown_catalogue_name",
                    f"Feature {feature.name!r} maps to {feature.catalogue!r}, which is not in the catalogue.",
                    f"Catalogue: {', '.join(known)}; or leave catalogue empty to keep the feature private.",
                )
            if target.kind != feature.kind:
                raise SpecError(
                    "spec.catalogue_kind",
                    f"Feature {feature.name!r} is {feature.kind}, but catalogue {target.name!r} is {target.kind}.",
                    "Map it to a catalogue feature of the same kind.",
                )
            if target.bounded and (not feature.bounded or feature.buckets > target.buckets):
                raise SpecError(
                    "spec.catalogue_range",
                    f"Feature {feature.name!r} may hold any id, but catalogue {target.name!r} takes 0 to "
                    f"{target.buckets - 1} only.",
                    f"Set hashed to false and buckets to at most {target.buckets}, or let the catalogue feature hash.",
                )
            if target.kind == "sequence" and feature.max_length > target.max_length:
                raise SpecError(
                    "spec.catalogue_range",
                    f"Feature {feature.name!r} holds up to {feature.max_length} ids, catalogue {target.name!r} "
                    f"{target.max_length}.",
                    f"Lower max_length to {target.max_length}.",
                )
            bound[target.name] = feature
        if not bound:
            raise SpecError(
                "spec.nothing_bound", "No feature of the stream has a catalogue name.", "Map at least one feature."
            )
        if not any(task.kind in self.task_kinds for task in schema.tasks):
            raise SpecError(
                "spec.no_head",
                f"The foundation model has no head for {', '.join(repr(task.kind) for task in schema.tasks)}.",
                f"Its task kinds: {', '.join(self.task_kinds)}.",
            )
        return bound


@dataclass(frozen=True, slots=True)
class FoundationSpec(Record):
    """Everything that fixes a foundation model's training."""

    model: FoundationModel
    optimizer: Optimizer = field(default_factory=lambda: Optimizer(batch_size=512, embedding_lr=0.2))
    seed: int = 0
    schema_version: Literal[2] = SCHEMA_VERSION

    def __post_init__(self) -> None:
        check_int(self.seed, "FoundationSpec.seed", 0, 2**31 - 1)
        check_version("FoundationSpec", self.schema_version)

    @classmethod
    def _of_today(cls, data: Mapping[str, Any], path: str) -> Mapping[str, Any]:
        return migrate(data, FOUNDATION, path)
