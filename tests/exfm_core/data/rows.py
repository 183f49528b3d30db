"""A small stream with every kind of feature, and a table of its rows."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from exfm_core.data.partitions import arrow_schema
from exfm_core.spec import Feature, StreamSchema, Task

START = datetime(2024, 1, 1, tzinfo=UTC)
END = START + timedelta(hours=1)


def schema(user_key: str | None = "user_id") -> StreamSchema:
    return StreamSchema(
        features=(
            Feature("item_id", buckets=50, catalogue="item_id"),
            Feature("hour", buckets=24, hashed=False, catalogue="hour"),
            Feature("recent", kind="sequence", buckets=50, max_length=3),
            Feature("age", kind="dense", catalogue="age"),
        ),
        tasks=(Task("click", "click", "clicked"), Task("buy", "conversion", "bought")),
        user_key=user_key,
    )


def table(count: int = 1000, *, seed: int = 0, user_key: str | None = "user_id") -> pa.Table:
    rng = np.random.default_rng(seed)
    micros = np.sort(rng.integers(0, 3600 * 1_000_000, count)) + int(START.timestamp() * 1e6)
    lengths = rng.integers(0, 4, count)
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    columns = {
        "event_time": pa.array(micros).cast(pa.timestamp("us", tz="UTC")),
        "user_id": pa.array(rng.integers(0, 400, count)),
        "item_id": pa.array(rng.integers(0, 10**12, count)),
        "hour": pa.array(rng.integers(0, 24, count)),
        "recent": pa.ListArray.from_arrays(pa.array(ends), pa.array(rng.integers(0, 10**12, lengths.sum()))),
        "age": pa.array(rng.normal(size=count).astype(np.float32)),
        "clicked": pa.array(rng.integers(0, 2, count).astype(np.int8)),
        "bought": pa.array(rng.integers(0, 2, count).astype(np.int8)),
    }
    if user_key is None:
        del columns["user_id"]
    return pa.table(columns).cast(arrow_schema(schema(user_key)))
