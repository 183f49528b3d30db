"""Globo clicks as impressions: each click beside sampled articles, and what was known before it. Torch-free.

A click at time t becomes a positive row; its negatives are the articles of uniformly drawn clicks, of any user, of the
three hours before, [t − 3 h, t). Draws that hit the clicked article are dropped. A click on an article that nobody
clicked in those three hours is dropped too: no negative can look like it, so it would give its label away.

All statistics use strictly earlier clicks. Popularity counts all users, sampled or not: in the row's own tenant, and
over all tenants (``all_…``). A user's history is that in the row's own tenant. Draws are hashes of the seed and the
click, so that no row depends on later ones, on file order, or on how much of the log is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from exfm_core.data.hashing import splitmix64
from exfm_core.data.partitions import arrow_schema
from exfm_core.data.public import globo
from exfm_core.data.public.chronology import Partition, Stream, check_length, instant
from exfm_core.data.public.globo import CODES, HOUR_MS, Log
from exfm_core.data.public.past import Past, first_times, happened_before
from exfm_core.errors import DataError
from exfm_core.spec import Feature, StreamSchema, Task

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

WINDOW_MS = 3 * HOUR_MS
HISTORY = 5
ARTICLE_BUCKETS = 65_536
TENANTS: dict[str, tuple[int, ...]] = {
    "t0": (25,),
    "t1": (21,),
    "t2": (13,),
    "t3": (8, 16, 24, 20),
    "t4": (28,),
    "t5": (5,),
    "t6": (7,),
    "t7": (14,),
    "t8": (),
}
"""Slug → regions; the last takes every other region. Sizes differ by more than thirty times."""

_OWN = ("clicks_total", "clicks_1h", "clicks_3h", "article_age")
_SHARED = tuple(f"all_{name}" for name in _OWN)
_CHUNK_MS = 24 * HOUR_MS
_USER_SALT, _CLICK_SALT = 0x6A09E667F3BCC908, 0xBB67AE8584CAA73B


def schema(*, shared_popularity: bool = True) -> StreamSchema:
    """The stream's columns; without ``shared_popularity``, nothing that other tenants' clicks have a part in."""

    def code(name: str, buckets: int = CODES) -> Feature:
        return Feature(name, buckets=buckets, hashed=False, catalogue=name)

    dense = (*_OWN, "user_clicks", "user_idle", *(_SHARED if shared_popularity else ()))
    features = (
        Feature("article_id", buckets=ARTICLE_BUCKETS, catalogue="article_id"),
        Feature("recent_articles", "sequence", ARTICLE_BUCKETS, max_length=HISTORY, catalogue="recent_articles"),
        code("already_read", 2),
        code("hour", 24),
        *(code(name) for name in ("environment", "device", "os", "country", "region", "referrer")),
        *(Feature(name, "dense", catalogue=name) for name in dense),
    )
    return StreamSchema(features, (Task("click", "click", "clicked"),))


@dataclass(frozen=True, slots=True)
class Sampling:
    """``user_share``: part of the users whose clicks become rows, drawn once by ``seed``, as are the negatives."""

    user_share: float = 0.35
    negatives: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.user_share <= 1 or not 1 <= self.negatives <= 64 or self.seed < 0:
            raise DataError(
                "globo.sampling",
                f"Cannot sample a user share of {self.user_share}, {self.negatives} negatives, seed {self.seed}.",
                "Use a share in (0, 1], 1 to 64 negatives and a seed of 0 or more.",
            )


class Impressions:
    """The CTR task over a log: its periods, and the rows of each.

    ``start``: begin of period 0; ``periods``: how many there are, up to the log's last click.
    """

    def __init__(
        self,
        log: Log,
        sampling: Sampling | None = None,
        *,
        partition_seconds: int = 900,
        shared_popularity: bool = True,
    ) -> None:
        sampling = sampling or Sampling()
        self.schema = schema(shared_popularity=shared_popularity)
        self._log = log
        self._negatives = sampling.negatives
        self._length = check_length(partition_seconds) // 1000
        first = int(log.time[0]) // self._length
        self.start, self.periods = instant(first * self._length * 1000), int(log.time[-1]) // self._length - first + 1
        self._first_ms = first * self._length
        self._base = int(log.time[0])
        self._time = log.time - self._base
        self._tenant = _tenant_of_region()[log.region]
        self._articles, self._article = np.unique(log.article, return_inverse=True)
        _, user = np.unique(log.user, return_inverse=True)
        self._user = user * len(TENANTS) + self._tenant  # a user's history does not cross tenants
        user_salt, click_salt = splitmix64(np.array([_USER_SALT, _CLICK_SALT], np.uint64) ^ np.uint64(sampling.seed))
        words = log.user.astype(np.uint64)
        share = splitmix64(words ^ user_salt) / 2.0**64
        words = splitmix64(splitmix64(words ^ click_salt) ^ log.time.astype(np.uint64))
        self._word = splitmix64(words ^ log.article.astype(np.uint64))
        self._by_article = Past(self._article, self._time)
        self._by_tenant = Past(self._tenant * len(self._articles) + self._article, self._time)
        self._by_user = Past(self._user, self._time)
        self._reads = first_times(self._user * len(self._articles) + self._article, self._time)
        recently = self._by_article.end(self._article, self._time) > self._by_article.end(
            self._article, self._time - WINDOW_MS
        )
        # Clicks that become rows.
        self._kept = np.flatnonzero((share < sampling.user_share) & recently)

    def partitions(self, period: int) -> Mapping[str, Partition]:
        """Return the partition of each tenant that has rows in period 0 … ``periods − 1``, by slug."""
        if not 0 <= period < self.periods:
            raise DataError("globo.period", f"There is no period {period}.", f"Use 0 to {self.periods - 1}.")
        start = self._first_ms + period * self._length
        table, tenant = self.rows(start, start + self._length)
        found = {}
        for number, slug in enumerate(TENANTS):
            if (mine := tenant == number).any():
                found[slug] = (*self.interval(period), table.filter(pa.array(mine)))
        return found

    def stream(self, slug: str) -> Iterator[Partition]:
        """Yield one tenant's partitions in time order; periods without rows are left out."""
        number = list(TENANTS).index(slug)
        step = max(1, _CHUNK_MS // self._length)
        for first in range(0, self.periods, step):
            start = self._first_ms + first * self._length
            table, _ = self.rows(start, start + step * self._length, tenant=number)
            times = np.asarray(table.column("event_time").cast(pa.int64())) // 1000
            edges = np.searchsorted(times, start + np.arange(step + 1) * self._length)
            for i in np.flatnonzero(np.diff(edges)):
                yield *self.interval(first + int(i)), table.slice(int(edges[i]), int(edges[i + 1] - edges[i]))

    def rows(self, start_ms: int, stop_ms: int, *, tenant: int | None = None) -> tuple[pa.Table, Ints]:
        """Return the rows of ``[start_ms, stop_ms)``, of one tenant or all, in time order, and each row's tenant."""
        kept = self._kept
        kept = kept[slice(*np.searchsorted(self._time[kept], [start_ms - self._base, stop_ms - self._base]))]
        if tenant is not None:
            kept = kept[self._tenant[kept] == tenant]
        click, article, label = self._draw(kept)
        columns = self._columns(click, article)
        columns["clicked"] = label
        wanted = arrow_schema(self.schema)
        return pa.table({name: pa.array(columns[name]) for name in wanted.names}).cast(wanted), self._tenant[click]

    def interval(self, period: int) -> tuple[datetime, datetime]:
        """Start and end of a period."""
        start = (self._first_ms + period * self._length) * 1000
        return instant(start), instant(start + self._length * 1000)

    def _draw(self, kept: Ints) -> tuple[Ints, Ints, npt.NDArray[np.int8]]:
        """Click, article and label of each row, by time; the order within a millisecond is drawn as well."""
        width = self._negatives + 1
        words = splitmix64((self._word[kept, None] + np.arange(width, dtype=np.uint64)).ravel()).reshape(-1, width)
        low = np.searchsorted(self._time, self._time[kept] - WINDOW_MS)[:, None]
        high = np.searchsorted(self._time, self._time[kept])[:, None]
        drawn = low + (words % np.maximum(high - low, 1).astype(np.uint64)).astype(np.int64)
        article = self._article[np.minimum(drawn, len(self._article) - 1)]
        article[:, 0] = self._article[kept]
        stays = article != article[:, :1]
        stays[:, 0] = True
        click = np.repeat(kept, stays.sum(axis=1))
        order = np.lexsort((splitmix64(words[stays]), self._time[click]))
        label = np.zeros(words.shape, np.int8)
        label[:, 0] = 1
        return click[order], article[stays][order], label[stays][order]

    def _columns(self, click: Ints, article: Ints) -> dict[str, object]:
        log, time = self._log, self._time[click]
        user = self._user[click]
        articles = len(self._articles)
        place, first = self._by_user.end(user, time), self._by_user.start(user)
        earlier = place - first
        idle = np.where(earlier > 0, (time - self._by_user.time_at(place - 1)) / 1000.0, 1e7)
        return {
            "event_time": pa.array(log.time[click] * 1000).cast(pa.timestamp("us", tz="UTC")),
            "user_id": log.user[click],
            "article_id": self._articles[article],
            "recent_articles": self._recent(first, place),
            "already_read": happened_before(*self._reads, user * articles + article, time).astype(np.int64),
            "hour": log.time[click] // HOUR_MS % 24,
            "environment": log.environment[click],
            "device": log.device[click],
            "os": log.os[click],
            "country": log.country[click],
            "region": log.region[click],
            "referrer": log.referrer[click],
            "user_clicks": np.log1p(earlier) - 1.0,
            "user_idle": np.log1p(idle) / 5.0 - 1.0,
            **_popularity(self._by_tenant, self._tenant[click] * articles + article, time, _OWN),
            **_popularity(self._by_article, article, time, _SHARED),
        }

    def _recent(self, first: Ints, place: Ints) -> pa.ListArray:
        """The articles of the last clicks before each place, oldest first."""
        lengths = np.minimum(place - first, HISTORY)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
        clicks = self._by_user.order[np.repeat(place - lengths, lengths) + within]
        return pa.ListArray.from_arrays(
            pa.array(offsets.astype(np.int32)), pa.array(self._articles[self._article[clicks]])
        )


def _popularity(past: Past, key: Ints, time: Ints, names: tuple[str, ...]) -> dict[str, Floats]:
    """Clicks so far, in the last hour and in the last three, and hours since the first, all on a log scale."""
    now, first = past.end(key, time), past.start(key)
    counts = (now - first, now - past.end(key, time - HOUR_MS), now - past.end(key, time - WINDOW_MS))
    age = np.where(now > first, (time - past.time_at(first)) / HOUR_MS, 0.0)
    values = (*(np.log1p(count) / 4.0 - 1.0 for count in counts), np.log1p(age) / 2.0 - 1.0)
    return dict(zip(names, values, strict=True))


def _tenant_of_region() -> Ints:
    tenant = np.full(CODES, len(TENANTS) - 1, np.int64)
    for number, regions in enumerate(TENANTS.values()):
        tenant[list(regions)] = number
    return tenant


def streams(
    folder: Path, *, hours: int | None = 144, sampling: Sampling | None = None, partition_seconds: int = 900
) -> tuple[Stream, ...]:
    """Return one stream per region tenant of the first ``hours`` hours of the log below ``folder``."""
    impressions = Impressions(globo.read(folder, hours=hours), sampling, partition_seconds=partition_seconds)
    return tuple(
        Stream(slug, f"Globo clicks, tenant {slug.upper()}", impressions.schema, partial(impressions.stream, slug))
        for slug in TENANTS
    )
