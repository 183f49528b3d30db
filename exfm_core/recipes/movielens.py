"""Real input: MovieLens-1M as genre groups, each a tenant that predicts "likes it" (≥ 4) or "loves it" (5).

Every statistic of a row uses ratings with strictly smaller timestamps: more than half of the log's consecutive
ratings share a second, and counting them would leak labels.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from exfm_core.data.partitions import arrow_schema
from exfm_core.data.public import movielens
from exfm_core.data.public.history import latest_before, sums_before
from exfm_core.data.public.movielens import Log
from exfm_core.recipes.recipe import Partition, Recipe, TenantRecipe
from exfm_core.spec import (
    Feature,
    FoundationModel,
    FoundationSpec,
    Optimizer,
    StreamSchema,
    Supervision,
    Task,
    VerticalModel,
    VerticalSpec,
)

HOUR = 3600
RECENT = 5
GROUPS: dict[str, tuple[str, ...]] = {
    "horror": ("Horror",),
    "war-western": ("War", "Western"),
    "family": ("Children's", "Animation"),
    "scifi-fantasy": ("Sci-Fi", "Fantasy"),
    "crime-mystery": ("Crime", "Film-Noir", "Mystery"),
    "action-thriller": ("Action", "Adventure", "Thriller"),
    "comedy-romance": ("Comedy", "Romance", "Musical"),
    "drama": ("Drama", "Documentary"),
}
"""A movie belongs to the first group that has one of its genres, so groups share no rating."""

TEAMS: dict[str, tuple[str, str]] = {
    "horror": ("Midnight Cinema", "love"),
    "war-western": ("Frontier Films", "like"),
    "family": ("Family Matinee", "love"),
    "scifi-fantasy": ("Orbit Pictures", "like"),
    "crime-mystery": ("Noir House", "love"),
    "action-thriller": ("Stunt Works", "like"),
    "comedy-romance": ("Two Hearts Comedy", "love"),
    "drama": ("Stage Left Drama", "like"),
}
"""Group → name of its team and the task that its model serves; every stream carries both labels."""

_DENSE = ("user_count", "user_like_rate", "user_love_rate", "movie_count", "movie_like_rate", "movie_love_rate", "year")
CATALOGUE = (
    Feature("user_id", buckets=8192, catalogue="user_id", privileged=True),
    Feature("movie_id", buckets=movielens.LAST_MOVIE + 1, hashed=False, catalogue="movie_id"),
    Feature("gender", buckets=2, hashed=False, catalogue="gender"),
    Feature("age", buckets=len(movielens.AGES), hashed=False, catalogue="age"),
    Feature("occupation", buckets=21, hashed=False, catalogue="occupation"),
    Feature("zip_region", buckets=10, hashed=False, catalogue="zip_region"),
    Feature("decade", buckets=12, hashed=False, catalogue="decade"),
    Feature("genres", "sequence", len(movielens.GENRES), hashed=False, max_length=6, catalogue="genres"),
    Feature("recent_likes", "sequence", movielens.LAST_MOVIE + 1, False, max_length=RECENT, catalogue="recent_likes"),
    *(Feature(name, "dense", catalogue=name) for name in _DENSE),
)
SERVED = tuple(feature.name for feature in CATALOGUE if not feature.privileged)
SCHEMA = StreamSchema(CATALOGUE, (Task("like", "like", "liked"), Task("love", "love", "loved")))


def data_root() -> Path:
    """Where raw data sets lie: ``EXFM_DATA``, by default ``var/data``."""
    return Path(os.environ.get("EXFM_DATA", "var/data"))


def sixteen(*, root: Path | None = None, seed: int = 0, periods: int = 60, warm_up: int = 15) -> Recipe:
    """The recipe of experiments: every group with a model of both tasks, 16 in all, and shorter periods."""
    main = recipe(root=root, seed=seed, periods=periods, warm_up=warm_up)
    tenants = tuple(_with_both_tasks(tenant) for tenant in main.tenants)
    foundation = replace(main.foundation, optimizer=Optimizer(batch_size=1024, dense_lr=4e-3, embedding_lr=0.05))
    title = f"{main.title}; both in every group"
    return replace(main, name="movielens-16", title=title, tenants=tenants, foundation=foundation)


def _with_both_tasks(tenant: TenantRecipe) -> TenantRecipe:
    other = "love" if tenant.vertical.model.task == "like" else "like"
    spec = replace(tenant.vertical, model=replace(tenant.vertical.model, tasks=(other,)))
    return replace(tenant, others=((f"{tenant.slug}-{other}", spec),))


def recipe(*, root: Path | None = None, seed: int = 0, periods: int = 16, warm_up: int = 4) -> Recipe:
    """Read the log below ``root`` (default: ``data_root()``) and return the recipe. DataError if it is unreadable."""
    log = movielens.read(movielens.find(root or data_root()))
    edges = period_edges(log.time, periods)
    table = rows(log)
    group = movie_groups(log)[log.movie]
    cuts = np.searchsorted(log.time, edges)
    moments = [datetime.fromtimestamp(int(edge), UTC) for edge in edges]

    def source(period: int) -> Mapping[str, Partition]:
        first, last = int(cuts[period]), int(cuts[period + 1])
        part, groups = table.slice(first, last - first), group[first:last]
        return {
            slug: (moments[period], moments[period + 1], part.filter(pa.array(groups == i)))
            for i, slug in enumerate(GROUPS)
        }

    return Recipe(
        name="movielens-1m",
        title=f"{log.name}: genre groups that predict “likes it” (≥ 4) or “loves it” (5)",
        tenants=tuple(tenant(slug, seed) for slug in GROUPS),
        foundation_name="movies",
        foundation=FoundationSpec(
            FoundationModel(
                features=tuple(Feature(f.name, f.kind, f.buckets, f.hashed, f.max_length) for f in CATALOGUE),
                task_kinds=("like", "love"),
            ),
            Optimizer(batch_size=256, dense_lr=2e-3, embedding_lr=0.05),
            seed=seed,
        ),
        period_seconds=HOUR,
        periods=periods,
        warm_up=warm_up,
        launch=moments[warm_up],
        source=source,
    )


def tenant(slug: str, seed: int) -> TenantRecipe:
    """Return one genre group's team."""
    name, task = TEAMS[slug]
    return TenantRecipe(
        slug=slug,
        name=name,
        domain=slug.replace("-", " and "),
        stream_name="ratings",
        model_name=f"{slug}-{task}",
        schema=SCHEMA,
        vertical=VerticalSpec(
            VerticalModel(features=SERVED, tasks=(task,)),
            Optimizer(batch_size=32, dense_lr=4e-3, embedding_lr=0.05),
            Supervision("strong"),
            seed=seed,
        ),
    )


def period_edges(time: npt.NDArray[np.int64], periods: int) -> npt.NDArray[np.int64]:
    """Return ``periods + 1`` whole hours that cut the sorted ``time`` [s] into parts of nearly equal size.

    Edges at whole hours never split ratings of one second.
    """
    quantiles = time[(np.arange(1, periods) * len(time)) // periods]
    inner = (quantiles + HOUR // 2) // HOUR * HOUR
    edges = np.concatenate([[time[0] // HOUR * HOUR], inner, [time[-1] // HOUR * HOUR + HOUR]])
    steps = np.arange(len(edges), dtype=np.int64) * HOUR  # an hour of very many ratings still gets edges of its own
    return np.asarray(np.maximum.accumulate(edges - steps) + steps)


def movie_groups(log: Log) -> npt.NDArray[np.int64]:
    """Return the group of each movie id (position in GROUPS), -1 for ids that are no movie."""
    group = np.full(len(log.genres), -1, np.int64)
    for movie, genres in enumerate(log.genres):
        names = {movielens.GENRES[genre] for genre in genres}
        matching = (i for i, wanted in enumerate(GROUPS.values()) if names & set(wanted))
        group[movie] = next(matching, -1)
    return group


@dataclass(frozen=True, slots=True)
class _Past:
    """Count, likes and loves strictly before each row."""

    count: npt.NDArray[np.float64]
    like_rate: npt.NDArray[np.float64]
    love_rate: npt.NDArray[np.float64]

    @classmethod
    def of(cls, key: npt.NDArray[np.int64], log: Log) -> _Past:
        values = np.stack([np.ones(len(key)), log.rating >= 4, log.rating == 5], axis=1).astype(np.float64)
        count, likes, loves = sums_before(key, log.time, values).T
        # Rates are drawn towards round base rates by five imagined ratings, centred and scaled.
        return cls(
            np.log1p(count) / 3.0 - 1.0,
            4.0 * ((likes + 5 * 0.55) / (count + 5) - 0.55),
            4.0 * ((loves + 5 * 0.2) / (count + 5) - 0.2),
        )


def rows(log: Log) -> pa.Table:
    """Return all ratings as stream rows, in time order, with what was known strictly before each."""
    user, movie = _Past.of(log.user, log), _Past.of(log.movie, log)
    recent, offsets = latest_before(log.user, log.time, log.movie, log.rating >= 4, RECENT)
    by_movie = np.array([len(genres) for genres in log.genres], dtype=np.int64)
    flat = np.array([genre for genres in log.genres for genre in genres], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(by_movie)])
    lengths = by_movie[log.movie]
    ends = np.concatenate([[0], np.cumsum(lengths)])
    places = np.repeat(starts[log.movie] - ends[:-1], lengths) + np.arange(ends[-1])
    year = log.year[log.movie]
    columns = {
        "event_time": pa.array(log.time * 1_000_000).cast(pa.timestamp("us", tz="UTC")),
        "user_id": log.user,
        "movie_id": log.movie,
        "gender": log.gender[log.user],
        "age": log.age[log.user],
        "occupation": log.occupation[log.user],
        "zip_region": log.zip_region[log.user],
        "decade": np.clip((year - 1890) // 10, 0, 11),
        "genres": pa.ListArray.from_arrays(pa.array(ends.astype(np.int32)), pa.array(flat[places])),
        "recent_likes": pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), pa.array(recent)),
        "user_count": user.count,
        "user_like_rate": user.like_rate,
        "user_love_rate": user.love_rate,
        "movie_count": movie.count,
        "movie_like_rate": movie.like_rate,
        "movie_love_rate": movie.love_rate,
        "year": (year - 1985) / 12.0,
        "liked": (log.rating >= 4).astype(np.int8),
        "loved": (log.rating == 5).astype(np.int8),
    }
    wanted = arrow_schema(SCHEMA)
    return pa.table({name: pa.array(columns[name]) for name in wanted.names}).cast(wanted)
