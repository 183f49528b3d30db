"""Managed features of one model: ids become rows of its tables, and rows that change hands start again.

Each net has maps of its own (`data.idmap`), in step with its tables: training admits a batch's ids, everything else
only looks them up. An id without a row is absent from its bag.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from exfm_core.data.idmap import NO_ROW, IdMap, initial_rows
from exfm_core.errors import CheckpointError
from exfm_core.models.inputs import Inputs
from exfm_core.spec import Feature

Renewal = tuple[int, Tensor, Tensor]
"""Place of a table among the sparse features, rows [n] that must start again, and their initial weights [n, D]."""


class ManagedIds:
    """The id maps of a model. `features`: its sparse features in order; `seed`: the spec's."""

    def __init__(self, features: Sequence[Feature], dim: int, seed: int, spread: float) -> None:
        self._names = [feature.name for feature in features]
        self.maps = {place: IdMap(feature.buckets) for place, feature in enumerate(features) if feature.managed}
        self._dim, self._seed, self._spread = dim, seed, spread

    def look_up(self, inputs: Inputs, fields: int) -> Inputs:
        """The batch with rows in place of ids; unknown ids are left out. `fields`: sparse features of the batch."""
        return _replace(inputs, fields, {place: known.look_up for place, known in self.maps.items()})

    def admit(self, inputs: Inputs, fields: int) -> tuple[Inputs, list[Renewal]]:
        """The batch with rows in place of ids, and what must be renewed before it is used."""
        renewals: list[Renewal] = []

        def admit(place: int, known: IdMap, ids: np.ndarray) -> np.ndarray:
            rows, fresh = known.admit(ids)
            if len(fresh):
                start = initial_rows(known.ids_of(fresh), self._dim, self._seed, self._names[place], self._spread)
                renewals.append((place, torch.from_numpy(fresh), torch.from_numpy(start)))
            return rows

        makers = {place: lambda ids, p=place, k=known: admit(p, k, ids) for place, known in self.maps.items()}
        return _replace(inputs, fields, makers), renewals

    def state(self, *, resume: bool = True) -> dict[str, Tensor]:
        """`<feature>.ids` of every map; to `resume` also `.used` and `.clock`. Copies."""
        found: dict[str, Tensor] = {}
        for place, known in self.maps.items():
            for name, values in known.state().items():
                if resume or name == "ids":
                    found[f"{self._names[place]}.{name}"] = torch.from_numpy(values)
        return found

    def load(self, tensors: Mapping[str, Tensor], prefix: str) -> None:
        """Takes `<prefix><feature>.…` of every map. Raises CheckpointError where one is missing or does not fit."""
        for place, known in self.maps.items():
            head = f"{prefix}{self._names[place]}."
            found = {name: tensors[head + name].numpy() for name in ("ids", "used", "clock") if head + name in tensors}
            if "ids" not in found:
                raise CheckpointError(
                    "checkpoint.ids", f"There are no ids of the managed feature {head!r}.", "Use another checkpoint."
                )
            known.load(found)


def _replace(inputs: Inputs, fields: int, makers: Mapping[int, object]) -> Inputs:
    """`indices` of the managed features replaced by what their maker gives, NO_ROW taken out of its bag."""
    rows = inputs.rows
    indices, offsets = inputs.indices.numpy().copy(), inputs.offsets
    edges = offsets[:: rows or 1].tolist() if rows else [0] * (fields + 1)
    for place, make in makers.items():
        low, high = edges[place], edges[place + 1]
        indices[low:high] = make(indices[low:high])  # type: ignore[operator]
    lost = np.flatnonzero(indices == NO_ROW)
    if len(lost):
        bags = np.searchsorted(offsets.numpy(), lost, side="right") - 1
        gone = np.bincount(bags, minlength=len(offsets) - 1)
        offsets = offsets - torch.from_numpy(np.concatenate([[0], np.cumsum(gone)]))
        indices = np.delete(indices, lost)
    return Inputs(torch.from_numpy(indices), offsets, inputs.dense_bn, mapped=True)
