"""What a server does with a request before the graph: raw values in, the graph's arrays out. Torch-free.

The graph reads one table that holds all features' tables one after the other and a row of zeros at its end. Inputs:

    ids         int64 [B, categorical features]  row numbers in that table; an absent id is the row of zeros
    ids.<name>  int64 [B, L]                      of a sequence feature, filled up with the row of zeros
    dense       float32 [B, dense features]       squashed

An input without features is left out. L is the longest bag of the request, at least 1. An unknown id of a managed
feature is absent from its bag, as in training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from exfm_core.data.dense import squash
from exfm_core.data.hashing import embedding_rows
from exfm_core.data.idmap import IdMap
from exfm_core.errors import DataError
from exfm_core.spec import Feature, VerticalModel

IDS: Final = "ids"
DENSE: Final = "dense"
Column = npt.ArrayLike | Sequence[Sequence[int]]
Ints = npt.NDArray[np.int64]


def sequence_input(feature: Feature) -> str:
    """Name of the input of a sequence feature."""
    return f"{IDS}.{feature.name}"


class RequestEncoder:
    """Encodes requests for one model. `features`: those of the model, in its order; `maps`: the ids of its managed
    features."""

    def __init__(
        self, model: VerticalModel, features: Sequence[Feature], maps: Mapping[str, IdMap] = MappingProxyType({})
    ) -> None:
        self.features = tuple(features)
        self.sparse = tuple(feature for feature in features if feature.sparse)
        self.dense = tuple(feature for feature in features if not feature.sparse)
        self.attended = {pair.sequence: pair.target for pair in model.attention}
        """Sequences that share the table of the feature they attend to."""
        self.maps = dict(maps)
        owners = [feature for feature in self.sparse if feature.name not in self.attended]
        ends = np.cumsum([feature.buckets for feature in owners])
        starts = {feature.name: int(end) - feature.buckets for feature, end in zip(owners, ends, strict=True)}
        self.starts = {f.name: starts[self.attended.get(f.name, f.name)] for f in self.sparse}
        self.padding = int(ends[-1])
        """The row of zeros: one past the last table."""
        self.single = tuple(feature for feature in self.sparse if feature.kind == "categorical")
        """Features of one id a row, in the columns of `ids`."""
        self.sequences = tuple(feature for feature in self.sparse if feature.kind == "sequence")
        """Features of an input of their own."""
        self._buckets = np.array([feature.buckets for feature in self.single], np.int64)
        self._hashed = np.array([feature.hashed for feature in self.single], np.bool_)
        self._starts = np.array([self.starts[feature.name] for feature in self.single], np.int64)
        largest = np.iinfo(np.int64).max
        self._tops = np.array([f.buckets - 1 if f.bounded else largest for f in self.single], np.int64)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The graph's inputs, in order."""
        names = [IDS] if self.single else []
        names += [sequence_input(feature) for feature in self.sequences]
        return (*names, DENSE) if self.dense else tuple(names)

    def encode(self, columns: Mapping[str, Column]) -> dict[str, npt.NDArray[Any]]:
        """The graph's inputs for B rows given column by column. Columns the model does not read are ignored.

        Raises DataError for a missing column, columns of different lengths, an id or a number that training would
        have refused.
        """
        missing = [feature.name for feature in self.features if feature.name not in columns]
        if missing:
            raise DataError("serving.missing_column", f"The request lacks {', '.join(missing)}.", "Send every feature.")
        rows = len(columns[self.features[0].name])  # type: ignore[arg-type]
        for feature in self.features:
            if (found := len(columns[feature.name])) != rows:  # type: ignore[arg-type]
                raise _bad(feature, f"has {found} values, others {rows}", "Send one per row.")
        arrays: dict[str, npt.NDArray[Any]] = {}
        if self.single:
            ids = np.empty((rows, len(self.single)), np.int64)
            for f, feature in enumerate(self.single):
                ids[:, f] = _integers(columns[feature.name], feature)
            arrays[IDS] = self._matrix(ids)
        for feature in self.sequences:
            arrays[sequence_input(feature)] = self._bags(columns[feature.name], feature)  # type: ignore[arg-type]
        if self.dense:
            dense = np.empty((rows, len(self.dense)), np.float64)
            for n, feature in enumerate(self.dense):
                dense[:, n] = _numbers(columns[feature.name], feature)
            if not (np.abs(dense) <= np.finfo(np.float32).max).all():  # false for NaN too
                for n, feature in enumerate(self.dense):
                    _check_finite(dense[:, n], feature)
            arrays[DENSE] = squash(dense.astype(np.float32))
        return arrays

    def _matrix(self, ids_bf: Ints) -> Ints:
        """Rows of all features of one id a row, at one go: NumPy's cost is per call, not per id."""
        if ids_bf.size and ((ids_bf < 0) | (ids_bf > self._tops)).any():
            for f, feature in enumerate(self.single):
                _check_ids(ids_bf[:, f], feature)
        hashed = embedding_rows(ids_bf, self._buckets, hashed=True)
        rows = np.where(self._hashed, hashed, ids_bf) + self._starts
        for f, feature in enumerate(self.single):
            if feature.managed:
                rows[:, f] = self._rows(ids_bf[:, f], feature)
        return rows

    def _bags(self, column: Sequence[Sequence[int]], feature: Feature) -> Ints:
        if not all(isinstance(bag, Sequence | np.ndarray) and not isinstance(bag, str) for bag in column):
            raise _bad(feature, "got a row that is no list of ids", "Send a list per row, an empty one for no id.")
        lengths = np.fromiter((len(bag) for bag in column), np.int64, len(column))
        longest = int(lengths.max(initial=0))
        if longest > feature.max_length:
            raise _bad(feature, f"has {longest} ids in one row, of {feature.max_length}", "Keep the latest ones only.")
        bags = np.full((len(column), max(1, longest)), self.padding, np.int64)
        if longest:
            flat = _integers(np.concatenate([np.asarray(bag) for bag in column if len(bag)]), feature)
            bags[np.arange(bags.shape[1]) < lengths[:, None]] = self._rows(flat, feature)
        return bags

    def _rows(self, ids: Ints, feature: Feature) -> Ints:
        _check_ids(ids, feature)
        if feature.managed:
            rows = self.maps[feature.name].look_up(ids)
            return np.where(rows < 0, self.padding, rows + self.starts[feature.name])
        return embedding_rows(ids, feature.buckets, feature.hashed) + self.starts[feature.name]


def _check_ids(ids: Ints, feature: Feature) -> None:
    if ids.size and int(ids.min()) < 0:
        raise _bad(feature, f"got the id {int(ids.min())}", "Ids are whole numbers from 0.")
    if feature.bounded and ids.size and int(ids.max()) >= feature.buckets:
        raise DataError(
            "serving.id_out_of_range",
            f"Feature {feature.name!r} got an id outside 0..{feature.buckets - 1}.",
            "Send ids as the stream's schema declares them.",
        )


def _check_finite(values: npt.NDArray[np.float64], feature: Feature) -> None:
    if not (np.abs(values) <= np.finfo(np.float32).max).all():
        raise _bad(feature, "got a number that is not finite", "Replace it as training data did, for example by 0.")


def _integers(column: Any, feature: Feature) -> Ints:
    values = np.asarray(column)
    if values.ndim != 1 or (values.size and values.dtype.kind not in "iu"):
        raise _bad(feature, f"is {values.dtype} of {values.ndim} dimensions", "Send whole numbers, one per row.")
    if values.dtype == np.uint64 and values.size and int(values.max()) > np.iinfo(np.int64).max:
        raise _bad(feature, f"got the id {int(values.max())}", "Ids are below 2⁶³.")
    return values.astype(np.int64, copy=False)


def _numbers(column: Any, feature: Feature) -> npt.NDArray[Any]:
    values = np.asarray(column)
    if values.ndim != 1 or (values.size and values.dtype.kind not in "iuf"):
        raise _bad(feature, f"is {values.dtype} of {values.ndim} dimensions", "Send numbers, one per row.")
    return values


def _bad(feature: Feature, what: str, mend: str) -> DataError:
    return DataError("serving.bad_value", f"Feature {feature.name!r} {what}.", mend)
