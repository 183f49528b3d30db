"""Shapes of the two kinds of model, and the complete specs that become immutable versions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from exfm_core.errors import SpecError
from exfm_core.spec.features import MAX_FEATURES, MAX_TASKS, Feature, StreamSchema
from exfm_core.spec.optimizer import Optimizer
from exfm_core.spec.record import Record, check_choice, check_count, check_int, check_name, check_unique
from exfm_core.spec.supervision import Supervision

Backbone = Literal["dcnv2", "dlrm", "deepfm"]
BACKBONES: tuple[Backbone, ...] = ("dcnv2", "dlrm", "deepfm")
SCHEMA_VERSION = 1


def _check_shape(path: str, backbone: str, embedding_dim: int, mlp: tuple[int, ...], cross_layers: int) -> None:
    check_choice(backbone, BACKBONES, f"{path}.backbone")
    check_int(embedding_dim, f"{path}.embedding_dim", 4, 512)
    if embedding_dim % 4:
        raise SpecError(
            "spec.bad_dimension", f"{path}.embedding_dim is {embedding_dim}.", "The kernels need a multiple of 4."
        )
    if not isinstance(mlp, tuple) or not 1 <= len(mlp) <= 8:
        raise SpecError("spec.bad_mlp", f"{path}.mlp is {mlp!r}.", "Give one to eight hidden widths.")
    for i, width in enumerate(mlp):
        check_int(width, f"{path}.mlp[{i}]", 1, 8192)
    check_int(cross_layers, f"{path}.cross_layers", 0 if backbone != "dcnv2" else 1, 8)


def _check_version(path: str, version: int) -> None:
    if isinstance(version, bool) or version != SCHEMA_VERSION:
        raise SpecError(
            "spec.schema_version", f"{path}.schema_version is {version!r}.", f"This release reads {SCHEMA_VERSION}."
        )


@dataclass(frozen=True, slots=True)
class VerticalModel(Record):
    """A tenant's compact model: which of the stream's features it reads, which task it serves, and its sizes."""

    features: tuple[str, ...]
    task: str
    backbone: Backbone = "dcnv2"
    embedding_dim: int = 8
    mlp: tuple[int, ...] = (64, 32)
    cross_layers: int = 1
    head_width: int = 16

    def __post_init__(self) -> None:
        _check_shape("VerticalModel", self.backbone, self.embedding_dim, self.mlp, self.cross_layers)
        check_int(self.head_width, "VerticalModel.head_width", 1, 1024)
        check_name(self.task, "VerticalModel.task")
        if not isinstance(self.features, tuple) or not self.features:
            raise SpecError("spec.no_features", "VerticalModel.features is empty.", "Name at least one feature.")
        check_count(self.features, "VerticalModel.features", MAX_FEATURES)
        for name in self.features:
            check_name(name, "VerticalModel.features")
        check_unique(self.features, "VerticalModel.features")

    def resolve(self, schema: StreamSchema) -> tuple[Feature, ...]:
        """Return the features in the model's order; SpecError if one is unknown or privileged, or the task unknown."""
        schema.task(self.task)
        features = tuple(schema.feature(name) for name in self.features)
        for feature in features:
            if feature.privileged:
                raise SpecError(
                    "spec.privileged_feature",
                    f"Feature {feature.name!r} is privileged: only the foundation model may see it.",
                    "Remove it from the vertical model's features.",
                )
        if not any(feature.sparse for feature in features):
            raise SpecError(
                "spec.no_sparse_feature",
                "The vertical model has no categorical or sequence feature.",
                "Add one: the backbones cross embeddings.",
            )
        vectors = sum(feature.sparse for feature in features) + any(not feature.sparse for feature in features)
        if self.backbone == "dlrm" and vectors < 2:
            raise SpecError(
                "spec.nothing_to_cross", "DLRM crosses pairs, but this model has one vector.", "Add a second feature."
            )
        return features


@dataclass(frozen=True, slots=True)
class VerticalSpec(Record):
    """Everything that fixes a vertical model's training; an immutable version of it is one of these."""

    model: VerticalModel
    optimizer: Optimizer = field(default_factory=Optimizer)
    supervision: Supervision = field(default_factory=Supervision)
    seed: int = 0
    schema_version: int = SCHEMA_VERSION

    def __post_init__(self) -> None:
        check_int(self.seed, "VerticalSpec.seed", 0, 2**31 - 1)
        _check_version("VerticalSpec", self.schema_version)


@dataclass(frozen=True, slots=True)
class FoundationModel(Record):
    """The shared teacher: features in catalogue names, one head per task kind, a bias per tenant slot."""

    features: tuple[Feature, ...]
    task_kinds: tuple[str, ...] = ("click",)
    backbone: Backbone = "dcnv2"
    embedding_dim: int = 16
    mlp: tuple[int, ...] = (128, 64)
    cross_layers: int = 1
    tenant_slots: int = 64

    def __post_init__(self) -> None:
        _check_shape("FoundationModel", self.backbone, self.embedding_dim, self.mlp, self.cross_layers)
        check_int(self.tenant_slots, "FoundationModel.tenant_slots", 1, 65536)
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
            if feature.sparse and not target.hashed and (feature.hashed or feature.buckets > target.buckets):
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
    schema_version: int = SCHEMA_VERSION

    def __post_init__(self) -> None:
        check_int(self.seed, "FoundationSpec.seed", 0, 2**31 - 1)
        _check_version("FoundationSpec", self.schema_version)
