"""A tenant's compact model: its shape, and the complete spec that becomes an immutable version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from exfm_core.errors import SpecError
from exfm_core.spec.features import MAX_FEATURES, MAX_TASKS, Feature, StreamSchema
from exfm_core.spec.migrate import VERTICAL, migrate
from exfm_core.spec.optimizer import Optimizer
from exfm_core.spec.record import Name, Range, Record, check_count, check_int, check_name, check_unique
from exfm_core.spec.shape import BACKBONES, SCHEMA_VERSION, VerticalBackbone, check_shape, check_version
from exfm_core.spec.supervision import Supervision


@dataclass(frozen=True, slots=True)
class Attention(Record):
    """Which sequence a DIN model weighs by which target: how much each past id matters for the one in question.

    The two share the target's embedding table. ``width`` is the hidden width of the activation unit.
    """

    sequence: Name
    target: Name
    width: Annotated[int, Range(1, 1024), "Hidden width of the activation unit"] = 16

    def __post_init__(self) -> None:
        check_name(self.sequence, "Attention.sequence")
        check_name(self.target, "Attention.target")
        self.check_ranges()


@dataclass(frozen=True, slots=True)
class VerticalModel(Record):
    """A tenant's compact model: which of the stream's features it reads, which tasks it serves, and its sizes.

    ``experts`` counts for mmoe alone, ``cross_layers`` for dcnv2, ``attention`` for din, which needs it.
    """

    features: tuple[Name, ...]
    tasks: tuple[Name, ...]
    backbone: VerticalBackbone = "dcnv2"
    embedding_dim: Annotated[int, Range(4, 512), "A multiple of 4"] = 8
    mlp: tuple[Annotated[int, Range(1, 8192)], ...] = (64, 32)
    cross_layers: Annotated[int, Range(0, 8)] = 1
    head_width: Annotated[int, Range(1, 1024), "Hidden width of a serving head"] = 16
    experts: Annotated[int, Range(1, 64), "MLPs that the tasks of mmoe share"] = 4
    attention: tuple[Attention, ...] = ()

    def __post_init__(self) -> None:
        self.check_ranges()
        check_shape("VerticalModel", self.backbone, BACKBONES, self.embedding_dim, self.mlp, self.cross_layers)
        _check_names(self.features, "VerticalModel.features", MAX_FEATURES, "spec.no_features", "feature")
        _check_names(self.tasks, "VerticalModel.tasks", MAX_TASKS, "spec.no_tasks", "task")
        self._check_attention()

    @property
    def task(self) -> str:
        """The primary task: the first one."""
        return self.tasks[0]

    def _check_attention(self) -> None:
        if bool(self.attention) != (self.backbone == "din"):
            raise SpecError(
                "spec.attention",
                f"VerticalModel.attention has {len(self.attention)} entries, the backbone is {self.backbone!r}.",
                "din needs one or more, no other backbone takes any.",
            )
        check_unique(tuple(pair.sequence for pair in self.attention), "The sequences of VerticalModel.attention")
        for pair in self.attention:
            for name in (pair.sequence, pair.target):
                if name not in self.features:
                    raise SpecError(
                        "spec.attention",
                        f"VerticalModel.attention names {name!r}, which the model does not read.",
                        "Add it to the model's features.",
                    )

    def resolve(self, schema: StreamSchema) -> tuple[Feature, ...]:
        """Return the features in the model's order; SpecError if one is unknown or privileged, or a task unknown."""
        for task in self.tasks:
            schema.task(task)
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
        for pair in self.attention:
            _check_pair(schema.feature(pair.sequence), schema.feature(pair.target))
        return features


def _check_names(names: tuple[str, ...], path: str, most: int, code: str, word: str) -> None:
    if not isinstance(names, tuple) or not names:
        raise SpecError(code, f"{path} is {names!r}.", f"Name at least one {word}, as a list.")
    check_count(names, path, most)
    for name in names:
        check_name(name, path)
    check_unique(names, path)


def _check_pair(sequence: Feature, target: Feature) -> None:
    if (sequence.kind, target.kind) != ("sequence", "categorical"):
        raise SpecError(
            "spec.attention",
            f"Attention of {sequence.name!r} ({sequence.kind}) to {target.name!r} ({target.kind}).",
            "A sequence attends to a categorical feature.",
        )
    if (sequence.buckets, sequence.hashed) != (target.buckets, target.hashed) or sequence.managed or target.managed:
        raise SpecError(
            "spec.attention",
            f"Features {sequence.name!r} and {target.name!r} cannot share one embedding table.",
            "Give both the same buckets and hashed, and managed to neither.",
        )


@dataclass(frozen=True, slots=True)
class VerticalSpec(Record):
    """Everything that fixes a vertical model's training; an immutable version of it is one of these."""

    model: VerticalModel
    optimizer: Optimizer = field(default_factory=Optimizer)
    supervision: Supervision = field(default_factory=Supervision)
    seed: int = 0
    schema_version: Literal[2] = SCHEMA_VERSION

    def __post_init__(self) -> None:
        check_int(self.seed, "VerticalSpec.seed", 0, 2**31 - 1)
        check_version("VerticalSpec", self.schema_version)

    @classmethod
    def _of_today(cls, data: Mapping[str, Any], path: str) -> Mapping[str, Any]:
        return migrate(data, VERTICAL, path)
