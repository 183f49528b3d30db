"""MovieLens as 19 categorical fields, label "liked" (≥ 4 stars), cut 80/10/10 by time."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from bench.dataset import Columns, Dataset, write
from exfm_core.data.public import movielens
from exfm_core.recipes.movielens import data_root, rows

BINS = 20
PLAIN = ("user_id", "movie_id", "gender", "age", "occupation", "zip_region", "decade")
BINNED = ("user_count", "user_like_rate", "user_love_rate", "movie_count", "movie_like_rate", "movie_love_rate", "year")
GENRE_SLOTS = 3


def make(folder: Path, root: Path | None = None, limit: int | None = None) -> Dataset:
    """The first `limit` ratings (all by default). Numbers are cut into bins of equal size on the training part; every
    "so far" statistic looks strictly back."""
    table = rows(movielens.read(movielens.find(root or data_root())))
    table = table.slice(0, limit) if limit is not None else table
    train = table.num_rows * 8 // 10
    columns: Columns = {name: table.column(name).to_numpy().astype(np.int64) for name in PLAIN}
    for name in BINNED:
        values = table.column(name).to_numpy()
        edges = np.unique(np.quantile(values[:train], np.linspace(0, 1, BINS + 1)[1:-1]))
        columns[name] = np.searchsorted(edges, values, side="right").astype(np.int64)
    seconds = table.column("event_time").cast(pa.int64()).to_numpy() // 1_000_000
    columns["hour"], columns["weekday"] = seconds // 3600 % 24, (seconds // 86400 + 3) % 7
    genres = table.column("genres").combine_chunks()
    starts, lengths = genres.offsets.to_numpy(), np.diff(genres.offsets.to_numpy())
    flat = genres.values.to_numpy()
    for slot in range(GENRE_SLOTS):
        has = lengths > slot
        place = np.where(has, starts[:-1] + slot, 0)
        columns[f"genre_{slot + 1}"] = np.where(has, flat[place] + 1, 0).astype(np.int64)
    fields = {name: int(values.max()) + 1 for name, values in columns.items()}
    labels = table.column("liked").to_numpy().astype(np.int8)
    tenth = table.num_rows // 10
    return write(
        folder, fields, columns, labels, {"train": train, "valid": tenth, "test": table.num_rows - train - tenth}
    )
