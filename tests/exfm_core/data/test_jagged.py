"""From Arrow lists to bags: narrow ids, slices, nulls, long lists; and the batch as a KeyedJaggedTensor."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from exfm_core.data.encode import Block, encode, vertical_layout
from exfm_core.errors import DataError
from exfm_core.models.embeddings import Tables
from exfm_core.spec import Feature, StreamSchema, Task, VerticalModel
from exfm_core.train.rows import Cutter, Rows, keyed_jagged

BUCKETS = 40
SCHEMA = StreamSchema(
    (
        Feature("item", buckets=BUCKETS, hashed=False),
        Feature("recent", "sequence", BUCKETS, hashed=False, max_length=3),
        Feature("age", "dense"),
    ),
    (Task("click", "click", "click"),),
    user_key=None,
)
LAYOUT = vertical_layout(VerticalModel(("item", "recent", "age"), ("click",)), SCHEMA)
LISTS: list[list[int]] = [[1, 2], [], [3], [4, 5, 6], [7], [], [8, 9]]


def table(lists: Any = None, count: int = 7, **columns: Any) -> pa.Table:
    body = {
        "event_time": pa.array(range(count), pa.int64()).cast(pa.timestamp("us", tz="UTC")),
        "item": pa.array(range(count), pa.int64()),
        "recent": pa.array(LISTS if lists is None else lists, pa.list_(pa.int64())),
        "age": pa.array([0.5] * count, pa.float32()),
        "click": pa.array([0, 1] * 3 + [0], pa.int8()),
    }
    return pa.table(body | columns)


def bags(block: Block, place: int = 1) -> list[list[int]]:
    ends = block.offsets[place]
    return [block.values[place][a:b].tolist() for a, b in itertools.pairwise(ends.tolist())]


@pytest.mark.parametrize("kind", [pa.int8(), pa.uint8(), pa.int32(), pa.uint32(), pa.int64()])
@pytest.mark.parametrize("of", [pa.list_, pa.large_list])
def test_ids_of_any_width_are_the_same_rows(kind: pa.DataType, of: Callable[[pa.DataType], pa.DataType]) -> None:
    narrow = table(item=pa.array(range(7), kind), recent=pa.array(LISTS, of(kind)))
    block = encode(narrow, LAYOUT)
    assert block.values[0].tolist() == list(range(7)) and bags(block) == LISTS
    assert all(values.dtype == np.int64 for values in (*block.values, *block.offsets))


@pytest.mark.parametrize(("first", "count"), [(0, 7), (1, 4), (3, 1), (5, 2), (6, 1), (2, 0)])
def test_a_slice_has_the_lists_of_its_rows(first: int, count: int) -> None:
    """`offsets` of a slice begin at the slice, `values` at its parent."""
    block = encode(table().slice(first, count), LAYOUT)
    assert bags(block) == LISTS[first : first + count]
    assert block.values[0].tolist() == list(range(first, first + count))


def test_slices_of_several_chunks_are_one_batch() -> None:
    whole = pa.concat_tables([table(), table(), table()])
    assert bags(encode(whole.slice(5, 12), LAYOUT)) == (LISTS * 3)[5:17]


def test_null_lists_are_empty_whatever_lies_under_them() -> None:
    assert bags(encode(table([[1], None, [2, 3], None, [], None, [4]]), LAYOUT)) == [[1], [], [2, 3], [], [], [], [4]]
    mask = pa.array([False, True, False, True, False, False, False])
    hidden = pa.ListArray.from_arrays(pa.array([0, 2, 4, 5, 8, 9, 9, 11], pa.int32()), pa.array(range(11)), mask=mask)
    assert bags(encode(table(recent=hidden), LAYOUT)) == [[0, 1], [], [4], [], [8], [], [9, 10]]


def test_of_a_long_list_the_latest_ids_stay() -> None:
    long = [[1, 2, 3, 4, 5], None, [6], [], [7, 8, 9, 10], [11, 12, 13], [14]]
    expected = [[3, 4, 5], [], [6], [], [8, 9, 10], [11, 12, 13], [14]]
    assert bags(encode(table(long), LAYOUT)) == expected
    assert bags(encode(table(long).slice(3), LAYOUT)) == expected[3:]


@pytest.mark.parametrize(
    ("columns", "where"),
    [
        ({"recent": [[1], [], [2, None], [], [], [], []]}, "'recent', row 102: null in the list"),
        ({"item": [0, 1, 2, 3, None, 5, 6]}, "'item', row 104: no value"),
        ({"age": [0.0, None, 0.0, 0.0, 0.0, 0.0, 0.0]}, "'age', row 101: no value"),
        ({"click": [0, 0, 0, 0, 0, 0, None]}, "'click', row 106: no value"),
        ({"recent": [[1], [], [2], [], [39, 40], [], []]}, "'recent', row 104: id 40 is outside 0..39"),
    ],
)
def test_what_numpy_would_read_as_a_number_is_refused(columns: dict[str, list[Any]], where: str) -> None:
    typed = {name: pa.array(values, table().schema.field(name).type) for name, values in columns.items()}
    with pytest.raises(DataError, match=where.replace("(", r"\(")):
        encode(table(**typed), LAYOUT, first_row=100)


def test_a_keyed_jagged_tensor_is_the_batch_itself() -> None:
    from torchrec import EmbeddingBagCollection, EmbeddingBagConfig, PoolingType

    inputs = Cutter(Rows.of(encode(table(), LAYOUT))).inputs(2, 7)
    jagged = keyed_jagged(inputs, ("item", "recent"))
    assert jagged.values().data_ptr() == inputs.indices.data_ptr()
    assert jagged["recent"].to_dense()[1].tolist() == [4, 5, 6] and jagged.stride() == 5
    tables = Tables({"item": BUCKETS, "recent": BUCKETS}, 8, 0.1, torch.Generator().manual_seed(1), "plain")
    collection = EmbeddingBagCollection(
        [
            EmbeddingBagConfig(
                name=name, embedding_dim=8, num_embeddings=BUCKETS, feature_names=[name], pooling=PoolingType.MEAN
            )
            for name in ("item", "recent")
        ]
    )
    for name, weight in zip(("item", "recent"), tables.kernel.weights, strict=True):
        collection.embedding_bags[name].weight.data.copy_(weight)
    pooled = collection(jagged).to_dict()
    ours = tables(inputs)
    assert all(torch.allclose(pooled[name], ours[:, f]) for f, name in enumerate(("item", "recent")))
