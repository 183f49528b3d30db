"""From Arrow columns to embedding rows, dense values and labels, vectorised in NumPy. Torch-free."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from exfm_core.data import hashing
from exfm_core.data.partitions import Source, column_numpy, one_chunk, pieces
from exfm_core.errors import DataError
from exfm_core.spec import Feature, FoundationModel, StreamSchema, VerticalModel

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a model: ``table`` says how it is embedded, ``column`` what feeds it (None: an empty bag)."""

    table: Feature
    column: str | None


@dataclass(frozen=True, slots=True)
class Layout:
    """What to read of a stream for one model: inputs in the model's order, and one label column per output.

    A label of None is a task the stream does not have: its labels read as NaN.
    """

    schema: StreamSchema
    inputs: tuple[Input, ...]
    labels: tuple[str | None, ...]

    @property
    def sparse(self) -> tuple[Input, ...]:
        """Inputs with an embedding table, in order."""
        return tuple(item for item in self.inputs if item.table.sparse)

    @property
    def dense(self) -> tuple[Input, ...]:
        """Dense inputs, in order."""
        return tuple(item for item in self.inputs if not item.table.sparse)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that must be read, once each."""
        names = [self.schema.event_time, self.schema.user_key, *(item.column for item in self.inputs), *self.labels]
        return tuple(dict.fromkeys(name for name in names if name is not None))


def vertical_layout(model: VerticalModel, schema: StreamSchema) -> Layout:
    """Layout of a vertical model on its own stream: the model's features by name, a label per task in its order."""
    inputs = tuple(Input(feature, feature.name) for feature in model.resolve(schema))
    return Layout(schema, inputs, tuple(schema.task(task).label for task in model.tasks))


def foundation_layout(model: FoundationModel, schema: StreamSchema) -> Layout:
    """Layout of a foundation model on a tenant's stream: catalogue features, one label per task kind of the model."""
    bound = model.bind(schema)
    inputs = tuple(
        Input(feature, bound[feature.name].name if feature.name in bound else None) for feature in model.features
    )
    by_kind = {task.kind: task.label for task in schema.tasks}
    return Layout(schema, inputs, tuple(by_kind.get(kind) for kind in model.task_kinds))


@dataclass(frozen=True, slots=True)
class Block:
    """Encoded rows ``[first_row, first_row + rows)``.

    ``values[f]`` int64: embedding rows of sparse input f, or ids where it is managed; ``offsets[f]`` int64 [rows + 1]
    into it. ``dense`` float32 [rows, D], ``labels`` float32 [rows, T] (NaN: no such task), ``user_buckets`` int16
    [rows], ``held_back`` bool [rows], ``event_time_us`` int64 [rows].
    """

    first_row: int
    rows: int
    values: tuple[Ints, ...]
    offsets: tuple[Ints, ...]
    dense: npt.NDArray[np.float32]
    labels: npt.NDArray[np.float32]
    user_buckets: npt.NDArray[np.int16]
    held_back: npt.NDArray[np.bool_]
    event_time_us: Ints


def encode(table: pa.Table, layout: Layout, first_row: int = 0) -> Block:
    """Encode a table whose columns were validated.

    Raises DataError for a null where a value must be and for an unhashed id outside its embedding table.
    """
    rows = table.num_rows
    single = np.arange(rows + 1, dtype=np.int64)
    values, offsets = [], []
    for item in layout.sparse:
        ids, ends = _ids(table, item, rows, single, first_row)
        values.append(_table_rows(ids, item, first_row, ends))
        offsets.append(ends)
    dense = np.zeros((rows, len(layout.dense)), np.float32)
    for i, item in enumerate(layout.dense):
        if item.column is not None:
            dense[:, i] = _column(table, item.column, first_row)
    labels = np.full((rows, len(layout.labels)), np.nan, np.float32)
    for i, label in enumerate(layout.labels):
        if label is not None:
            labels[:, i] = _column(table, label, first_row)
    times = column_numpy(table.column(layout.schema.event_time).cast(pa.int64()))
    if layout.schema.user_key is None:
        buckets, held = hashing.time_buckets(times), hashing.held_back_times(times)
    else:
        keys = column_numpy(table.column(layout.schema.user_key)).astype(np.int64, copy=False)
        buckets, held = hashing.user_buckets(keys), hashing.held_back(keys)
    return Block(first_row, rows, tuple(values), tuple(offsets), dense, labels, buckets, held, times)


def blocks(source: Source, layout: Layout, batch_size: int, start_row: int = 0) -> Generator[Block, None, None]:
    """Yield encoded blocks whose sizes are whole batches, the last one excepted, whatever the file's row groups are."""
    carry: pa.Table | None = None
    first = start_row
    for piece_first, table in pieces(source, layout.columns, start_row):
        if carry is not None and carry.num_rows:
            table = pa.concat_tables([carry, table]).combine_chunks()
        else:
            first = piece_first
        whole = table.num_rows - table.num_rows % batch_size
        if whole:
            yield encode(table.slice(0, whole), layout, first)
        carry, first = table.slice(whole), first + whole
    if carry is not None and carry.num_rows:
        yield encode(carry, layout, first)


def _column(table: pa.Table, name: str, first_row: int) -> np.ndarray:
    """A column as NumPy: a view of Arrow's memory. Raises DataError for a null, which NumPy would read as a number."""
    column = table.column(name)
    if column.null_count:
        row = first_row + int(np.flatnonzero(column.is_null().to_numpy())[0])
        raise DataError("data.null", f"Column {name!r}, row {row}: no value.", "Fill it or leave the row out.")
    return column_numpy(column)


def _ids(table: pa.Table, item: Input, rows: int, single: Ints, first_row: int) -> tuple[Ints, Ints]:
    """Ids and where each row's begin. A null list is empty; of a list that is too long the last ids stay."""
    if item.column is None:
        return np.empty(0, np.int64), np.zeros(rows + 1, np.int64)
    if item.table.kind != "sequence":
        return _column(table, item.column, first_row).astype(np.int64, copy=False), single
    array = one_chunk(table.column(item.column))
    # `offsets` begins where the slice does, `values` where its parent did.
    ends = np.asarray(array.offsets.to_numpy(), dtype=np.int64)
    inner = array.values.slice(int(ends[0]), int(ends[-1] - ends[0]))
    ends = ends - ends[0]
    lengths = np.diff(ends)
    kept = np.minimum(lengths, item.table.max_length)
    if array.null_count:
        kept[array.is_null().to_numpy(zero_copy_only=False)] = 0
    if inner.null_count:
        inside = np.flatnonzero(inner.is_null().to_numpy(zero_copy_only=False))
        rows_of = np.searchsorted(ends, inside, side="right") - 1
        row = first_row + int(rows_of[0])
        raise DataError(
            "data.null", f"Column {item.column!r}, row {row}: null in the list.", "Leave missing ids out of the list."
        )
    ids = column_numpy(inner).astype(np.int64, copy=False)
    if np.array_equal(kept, lengths):
        return ids, ends
    cut = np.concatenate([[0], np.cumsum(kept)])
    places = np.repeat(ends[1:] - kept - cut[:-1], kept) + np.arange(cut[-1])
    return ids[places], cut


def _table_rows(ids: Ints, item: Input, first_row: int, ends: Ints) -> Ints:
    table = item.table
    if not table.hashed and ids.size:
        top = table.buckets if table.bounded else np.iinfo(np.int64).max
        wrong = np.flatnonzero((ids < 0) | (ids >= top))
        if wrong.size:
            row = first_row + int(np.searchsorted(ends, wrong[0], side="right")) - 1
            raise DataError(
                "data.id_out_of_range",
                f"Column {item.column!r}, row {row}: id {int(ids[wrong[0]])} is outside 0..{top - 1}.",
                f"Raise the buckets of {table.name!r} or let it be hashed.",
            )
    # A managed feature's ids stay as they are: the trainer, which knows its rows, maps them batch by batch.
    return hashing.embedding_rows(ids, table.buckets, table.hashed)
