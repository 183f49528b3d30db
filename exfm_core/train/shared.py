"""One model of a vertical model's shape over several tenants' streams: what starters and pooled references are.

Another tenant's column feeds a feature where both map it to the same catalogue name; a feature that the other stream
lacks, private ones included, is an empty bag or zero there. Tasks are matched by their kinds. Rows of all streams come
in event-time order, once over, each predicted before it is trained on.
"""

from collections.abc import Iterator, Mapping
from typing import Protocol

import numpy as np
import torch

from exfm_core.data.encode import Input, Layout
from exfm_core.data.partitions import Source
from exfm_core.distill.student import Student
from exfm_core.errors import SpecError
from exfm_core.metrics.sums import BucketSums
from exfm_core.models.embeddings import Backend
from exfm_core.spec import Feature, StreamSchema, VerticalSpec
from exfm_core.train.foundation_rows import Stream, merge_as
from exfm_core.train.rows import Cutter, Rows, spans


class Openable(Protocol):
    """A sealed partition that can be read more than once."""

    def open(self) -> Source:
        """A fresh source."""
        ...


class SharedTrainer:
    """Trains one student of `spec`'s shape (on `schema`) over the union of `streams`, without any teacher."""

    def __init__(
        self, spec: VerticalSpec, schema: StreamSchema, streams: Mapping[str, StreamSchema], backend: Backend = "fused"
    ) -> None:
        if not streams:
            raise SpecError("shared.no_streams", "No stream is named to train on.", "Name at least one.")
        self.spec, self.schema = spec, schema
        self.student = Student(spec, schema, None, backend)
        self.layouts = {name: shared_layout(spec, schema, other) for name, other in streams.items()}
        self._slots = {name: slot for slot, name in enumerate(streams)}
        self._streams = dict(streams)

    def train(self, period: Mapping[str, Openable]) -> dict[str, BucketSums]:
        """Predicts, then trains on one period's partitions by stream name; streams not named are left out.
        Returns the progressive sums of the primary task per stream."""
        names = [name for name in self.layouts if name in period]
        streams = [Stream(period[name].open(), self._streams[name], self._slots[name]) for name in names]
        sums = dict.fromkeys(names, BucketSums.zeros())
        size = self.spec.optimizer.batch_size
        for rows in whole_batches(merge_as([self.layouts[name] for name in names], streams), size):
            logits = self._train_rows(rows, size)
            for name in names:
                mine = rows.slots == self._slots[name]
                sums[name] += BucketSums.of(rows.buckets[mine], rows.labels[mine, 0], logits[mine])
        return sums

    def _train_rows(self, rows: Rows, size: int) -> np.ndarray:
        cutter, ys = Cutter(rows), [torch.tensor(column) for column in rows.labels.T]
        nobody = (None,) * len(ys)
        logits = np.empty(len(rows), np.float32)
        for start, stop in spans(len(rows), size):
            found, _ = self.student.step_tasks(cutter.inputs(start, stop), tuple(y[start:stop] for y in ys), nobody)
            logits[start:stop] = found[0].numpy()
        return logits


def whole_batches(parts: Iterator[Rows], size: int) -> Iterator[Rows]:
    """The same rows in the same order, in parts of whole batches, the last one excepted."""
    carry: Rows | None = None
    for part in parts:
        union = part if carry is None else Rows.concatenate([carry, part])
        whole = len(union) - len(union) % size
        carry = union.take(np.arange(whole, len(union)))
        if whole:
            yield union.take(np.arange(whole))
    if carry is not None and len(carry):
        yield carry


def shared_layout(spec: VerticalSpec, schema: StreamSchema, other: StreamSchema) -> Layout:
    """How `other`'s columns feed a model of `spec` on `schema`. Raises SpecError where a catalogue name stands for two
    kinds of feature, ids cannot fit their table, or no task is of the model's kind."""
    features = spec.model.resolve(schema)
    by_kind = {task.kind: task.label for task in other.tasks}
    kinds = [schema.task(task).kind for task in spec.model.tasks]
    for kind in kinds:
        if kind not in by_kind:
            known = ", ".join(by_kind)
            raise SpecError("shared.no_task", f"A stream has no task of kind {kind!r}, only {known}.", "Leave it out.")
    by_name = {feature.catalogue: feature for feature in other.features if feature.catalogue and not feature.privileged}
    inputs: list[Input] = []
    for feature in features:
        found = feature if other == schema else by_name.get(feature.catalogue) if feature.catalogue else None
        inputs.append(Input(feature, None if found is None else _fits(feature, found).name))
    return Layout(other, tuple(inputs), tuple(by_kind[kind] for kind in kinds))


def _fits(feature: Feature, found: Feature) -> Feature:
    same_ids = not feature.bounded or (found.bounded and found.buckets <= feature.buckets)
    if found.kind != feature.kind or not same_ids:
        raise SpecError(
            "shared.catalogue",
            f"Catalogue feature {feature.catalogue!r} is {feature.kind} with {feature.buckets} rows in the model, "
            f"but {found.kind} with {found.buckets} in another stream.",
            "Map only columns of the same kind and range to one catalogue name.",
        )
    return found
