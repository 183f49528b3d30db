"""What a stream's rows hold: features, tasks, the column of time and the column of users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from exfm_core.errors import SpecError
from exfm_core.spec.record import Record, check_choice, check_count, check_int, check_name, check_unique

FeatureKind = Literal["categorical", "sequence", "dense"]

MAX_FEATURES = 1024
MAX_TASKS = 64
TRUE_PROBABILITY = "true_probability"
"""Optional column of synthetic partitions: the probability the label was drawn with. Never a feature."""


@dataclass(frozen=True, slots=True)
class Feature(Record):
    """One input column.

    categorical: int64 id >= 0; its embedding row is ``splitmix64(id) % buckets`` if ``hashed``, else the id itself,
    which must be below ``buckets``. sequence: a list of such ids, ``max_length`` at most. dense: a finite float.
    ``catalogue`` names the foundation model's feature it feeds ("" = private). ``privileged``: only the foundation
    model may see it; a vertical model that asks for it is refused. ``managed`` instead of ``hashed``: each id gets a
    row of its own, and the ids seen least recently give theirs up when all ``buckets`` rows are taken.
    """

    name: str
    kind: FeatureKind = "categorical"
    buckets: int = 0
    hashed: bool = True
    max_length: int = 0
    catalogue: str = ""
    privileged: bool = False
    managed: bool = False

    def __post_init__(self) -> None:
        check_name(self.name, "Feature.name")
        path = f"Feature {self.name!r}"
        check_choice(self.kind, ("categorical", "sequence", "dense"), f"{path}.kind")
        if self.catalogue:
            check_name(self.catalogue, f"{path}.catalogue")
        if self.name == TRUE_PROBABILITY:
            raise SpecError("spec.reserved_name", f"{path} is reserved for the truth of synthetic data.", "Rename it.")
        if self.kind == "dense":
            check_int(self.buckets, f"{path}.buckets of a dense feature", 0, 0)
        else:
            check_int(self.buckets, f"{path}.buckets", 1, 2**31 - 1)
        low, high = (1, 1024) if self.kind == "sequence" else (0, 0)
        check_int(self.max_length, f"{path}.max_length of a {self.kind} feature", low, high)
        if self.managed and (self.hashed or not self.sparse):
            raise SpecError(
                "spec.managed",
                f"{path} is managed, so its ids own their rows, but it is {'hashed' if self.sparse else 'dense'}.",
                "Set hashed to false, or managed to false." if self.sparse else "Set managed to false.",
            )
        if self.privileged and not self.catalogue:
            raise SpecError(
                "spec.privileged_private",
                f"{path} is privileged, so only the foundation model may read it, but it has no catalogue name.",
                "Give it a catalogue name or make it unprivileged.",
            )

    @property
    def sparse(self) -> bool:
        """True if the feature has an embedding table (categorical or sequence)."""
        return self.kind != "dense"

    @property
    def bounded(self) -> bool:
        """True if the column's ids are the embedding rows themselves, so that they must lie below ``buckets``."""
        return self.sparse and not self.hashed and not self.managed


@dataclass(frozen=True, slots=True)
class Task(Record):
    """One thing to predict: ``label`` is a column of 0 and 1, ``kind`` the foundation model's head for it."""

    name: str
    kind: str
    label: str

    def __post_init__(self) -> None:
        check_name(self.name, "Task.name")
        check_name(self.kind, f"Task {self.name!r}.kind")
        check_name(self.label, f"Task {self.name!r}.label")


@dataclass(frozen=True, slots=True)
class StreamSchema(Record):
    """The columns of a stream's partitions. ``user_key`` None: no user column, intervals then resample time blocks."""

    features: tuple[Feature, ...]
    tasks: tuple[Task, ...]
    event_time: str = "event_time"
    user_key: str | None = "user_id"

    def __post_init__(self) -> None:
        check_name(self.event_time, "StreamSchema.event_time")
        if self.user_key is not None:
            check_name(self.user_key, "StreamSchema.user_key")
        if not self.features:
            raise SpecError("spec.no_features", "StreamSchema.features is empty.", "Declare at least one feature.")
        if not self.tasks:
            raise SpecError("spec.no_tasks", "StreamSchema.tasks is empty.", "Declare at least one task.")
        check_count(self.features, "StreamSchema.features", MAX_FEATURES)
        check_count(self.tasks, "StreamSchema.tasks", MAX_TASKS)
        names = tuple(feature.name for feature in self.features)
        labels = tuple(task.label for task in self.tasks)
        check_unique(names, "StreamSchema.features")
        check_unique(tuple(task.name for task in self.tasks), "StreamSchema.tasks")
        check_unique(tuple(task.kind for task in self.tasks), "The task kinds of StreamSchema.tasks")
        check_unique(tuple(f.catalogue for f in self.features if f.catalogue), "The catalogue names of StreamSchema")
        leaks = sorted(set(names) & {*labels, self.event_time})
        if leaks:
            raise SpecError(
                "spec.label_is_feature",
                f"{', '.join(map(repr, leaks))} is a feature and also a label or the event time.",
                "A model must not read what it predicts: remove it from the features.",
            )
        if {self.event_time, self.user_key, TRUE_PROBABILITY} & set(labels) or self.event_time == self.user_key:
            raise SpecError("spec.column_clash", "A label, the event time and the user key share a column.", "Rename.")
        if self.user_key in names and self.feature(self.user_key).kind != "categorical":
            raise SpecError(
                "spec.user_key_kind", f"The user key {self.user_key!r} is not categorical.", "Use an id column."
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns that a partition must have, in writing order."""
        names = [self.event_time]
        if self.user_key is not None:
            names.append(self.user_key)
        names += [feature.name for feature in self.features if feature.name not in names]
        names += [task.label for task in self.tasks if task.label not in names]
        return tuple(names)

    def feature(self, name: str | None) -> Feature:
        """Return the feature of that name; SpecError if there is none."""
        for feature in self.features:
            if feature.name == name:
                return feature
        known = ", ".join(feature.name for feature in self.features)
        raise SpecError("spec.unknown_feature", f"The stream has no feature {name!r}.", f"Known features: {known}.")

    def task(self, name: str) -> Task:
        """Return the task of that name; SpecError if there is none."""
        for task in self.tasks:
            if task.name == name:
                return task
        known = ", ".join(task.name for task in self.tasks)
        raise SpecError("spec.unknown_task", f"The stream has no task {name!r}.", f"Known tasks: {known}.")
