"""A synthetic ads stream with drift and a known truth. NumPy and Arrow only.

One world of users and advertisers, several tenants that meet parts of it. Whether a user acts on an ad follows

    logit p = base_i + r·(u · a(t)) + propensity_u + quality_a + hour effect + placement effect

with u the user's taste and a(t) the ad's appeal, both made of shared parts (demographic group, category, advertiser)
and an own part. Categories' appeal turns slowly, users and ads join and leave, conversions that come after the
attribution window count as none. Every row carries the probability its label was drawn with.

Tenants share tastes and appeal, so what one tenant's rows teach about a group or a category holds at the others.
Same seed, tenant and period: same rows, in whatever order periods are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from exfm_core.data.hashing import splitmix64
from exfm_core.data.partitions import arrow_schema
from exfm_core.spec import TRUE_PROBABILITY, StreamSchema

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ORIGIN = datetime(2025, 3, 3, tzinfo=UTC)
CATEGORIES, ADVERTISERS, AGE_GROUPS, REGIONS, DEVICES, SEGMENTS = 24, 60, 7, 16, 3, 64
INTERESTS = 3
_TASTE = 8


@dataclass(frozen=True, slots=True)
class Traffic:
    """One tenant's part of the world.

    ``slot`` numbers the tenant (its random streams and ad ids); ``task`` is "click" or "conversion"; ``base_rate`` the
    rough share of positives; ``reach`` the share of all users it meets; ``ads`` how many run at a time;
    ``ad_life`` their mean life in periods; ``delay`` the mean delay of a conversion in attribution windows.
    """

    slot: int
    task: str
    rows: int
    base_rate: float = 0.15
    reach: float = 0.6
    ads: int = 150
    ad_life: float = 8.0
    placements: int = 5
    delay: float = 0.35


class AdsWorld:
    """Users, categories and advertisers that all tenants share; ``partition`` draws a tenant's rows of one period."""

    def __init__(self, *, seed: int, period_seconds: int, users: int = 60_000, turn: float = 0.06) -> None:
        rng = np.random.Generator(np.random.PCG64([seed, 0xAD5]))
        self.seed, self.period_seconds, self.users, self.turn = seed, period_seconds, users, turn
        self.age = rng.integers(0, AGE_GROUPS, users)
        self.region = _skewed(rng, REGIONS, users)
        self.device = _skewed(rng, DEVICES, users)
        age, region = rng.normal(size=(AGE_GROUPS, _TASTE)), rng.normal(size=(REGIONS, _TASTE))
        own = rng.normal(size=(users, _TASTE))
        self.taste = _unit_rows(0.75 * age[self.age] + 0.65 * region[self.region] + 0.8 * own)
        self.propensity = 0.35 * rng.normal(size=users) + 0.3 * rng.normal(size=DEVICES)[self.device]
        self.activity = rng.lognormal(0.0, 0.7, users)
        self.joins = rng.uniform(-40.0, 60.0, users)
        self.leaves = self.joins + rng.exponential(45.0, users)
        self.categories = _unit_rows(rng.normal(size=(2, CATEGORIES, _TASTE)))
        self.advertisers = _unit_rows(rng.normal(size=(ADVERTISERS, _TASTE)))
        self.advertiser_category = rng.integers(0, CATEGORIES, ADVERTISERS)
        self.daily = 0.3 * rng.normal(size=(CATEGORIES, 2))
        planes = rng.normal(size=(_TASTE, 6))
        self.segment = ((self.taste @ planes > 0) @ (1 << np.arange(6))).astype(np.int64)
        noisy = self.taste @ self.categories[0].T + 0.35 * rng.normal(size=(users, CATEGORIES))
        self.interests = np.argsort(-noisy, axis=1)[:, :INTERESTS].astype(np.int64)

    def interval(self, period: int) -> tuple[datetime, datetime]:
        """Return ``[start, end)`` of a period, counted from 0."""
        start = ORIGIN + timedelta(seconds=period * self.period_seconds)
        return start, start + timedelta(seconds=self.period_seconds)

    def partition(self, traffic: Traffic, schema: StreamSchema, period: int) -> tuple[datetime, datetime, pa.Table]:
        """Return start, end and the rows of one tenant's period, in time order, with the true probability."""
        start, end = self.interval(period)
        rng = np.random.Generator(np.random.PCG64([self.seed, traffic.slot, period]))
        rows = int(rng.poisson(traffic.rows))
        micros = np.sort(rng.integers(0, self.period_seconds * 1_000_000, rows))
        users = self._present_users(traffic, period, rng, rows)
        ads = self._running_ads(traffic, period)
        shown = rng.choice(len(ads.id), rows, p=ads.weight)
        hour = ((period * self.period_seconds + micros // 1_000_000) // 3600 % 24).astype(np.int64)
        placement = _skewed(rng, traffic.placements, rows)
        logit = self._logit(traffic, period, users, ads, shown, hour, placement)
        probability = 1.0 / (1.0 + np.exp(-logit))
        if traffic.task == "conversion":
            probability *= 1.0 - np.exp(-1.0 / traffic.delay)
        label = rng.random(rows) < probability
        columns = {
            "event_time": pa.array(micros + int(start.timestamp()) * 1_000_000).cast(pa.timestamp("us", tz="UTC")),
            "user_id": users + 1,
            "age_group": self.age[users],
            "region": self.region[users],
            "device": self.device[users],
            "segment": self.segment[users],
            "interests": pa.ListArray.from_arrays(
                np.arange(rows + 1, dtype=np.int32) * INTERESTS, self.interests[users].ravel()
            ),
            "ad_id": ads.id[shown],
            "advertiser_id": ads.advertiser[shown],
            "category": ads.category[shown],
            "hour": hour,
            "placement": placement,
            "ad_age": np.log1p(ads.age[shown]),
            "user_activity": np.log(self.activity[users]),
            schema.tasks[0].label: label.astype(np.int8),
            TRUE_PROBABILITY: probability,
        }
        wanted = arrow_schema(schema, true_probability=True)
        table = pa.table({name: pa.array(columns[name]) for name in wanted.names})
        return start, end, table.cast(wanted)

    def _present_users(self, traffic: Traffic, period: int, rng: np.random.Generator, rows: int) -> Ints:
        met = np.random.Generator(np.random.PCG64([self.seed, traffic.slot, 0x05E5])).random(self.users)
        present = np.flatnonzero((met < traffic.reach) & (self.joins <= period) & (self.leaves > period))
        edges = np.cumsum(self.activity[present])
        drawn = np.searchsorted(edges, rng.random(rows) * edges[-1], side="right")
        return np.asarray(present[drawn], dtype=np.int64)

    def _running_ads(self, traffic: Traffic, period: int) -> _Ads:
        """A campaign slot runs one ad after another; the ad that runs in a period depends on the slot's history."""
        rng = np.random.Generator(np.random.PCG64([self.seed, traffic.slot, 0xAD]))
        phase = rng.uniform(0, 1, traffic.ads)
        life = traffic.ad_life * rng.uniform(0.5, 1.5, traffic.ads)
        turn = period / life + phase
        generation = np.floor(turn).astype(np.int64)
        ids = (traffic.slot * 1_000_003 + np.arange(traffic.ads)) * 1_000 + generation
        rolls = _uniforms(ids, self.seed, 3 + _TASTE)
        advertiser = (rolls[:, 0] * ADVERTISERS).astype(np.int64)
        category = np.where(
            rolls[:, 1] < 0.7, self.advertiser_category[advertiser], (rolls[:, 1] * 7919 % CATEGORIES).astype(np.int64)
        )
        own = _unit_rows(rolls[:, 3:] - 0.5)
        angle = self.turn * period
        drifted = np.cos(angle) * self.categories[0] + np.sin(angle) * self.categories[1]
        appeal = 1.0 * drifted[category] + 0.6 * self.advertisers[advertiser] + 0.45 * own
        weight = 1.0 / (1.0 + rng.permutation(traffic.ads)) ** 0.7
        return _Ads(
            id=ids,
            advertiser=advertiser,
            category=category,
            appeal=appeal,
            quality=1.2 * (rolls[:, 2] - 0.5),
            age=(turn - generation) * life,
            weight=weight / weight.sum(),
        )

    def _logit(
        self, traffic: Traffic, period: int, users: Ints, ads: _Ads, shown: Ints, hour: Ints, placement: Ints
    ) -> Floats:
        rng = np.random.Generator(np.random.PCG64([self.seed, traffic.slot, 0x10C]))
        places = 0.4 * rng.normal(size=traffic.placements)
        # Conversions follow the same tastes, but weigh them less and the ad's quality more.
        relevance, merit = (3.0, 1.0) if traffic.task == "click" else (2.6, 1.4)
        base = np.log(traffic.base_rate / (1.0 - traffic.base_rate)) - 0.8
        match = np.einsum("nd,nd->n", self.taste[users], ads.appeal[shown])
        angle = 2.0 * np.pi * hour / 24.0
        daily = self.daily[ads.category[shown]]
        time_of_day = daily[:, 0] * np.cos(angle) + daily[:, 1] * np.sin(angle)
        wave = 0.12 * np.sin(0.5 * period + traffic.slot)
        own = self.propensity[users] + merit * ads.quality[shown] + places[placement] + time_of_day
        return np.asarray(base + wave + relevance * match + own)


@dataclass(frozen=True, slots=True)
class _Ads:
    id: Ints
    advertiser: Ints
    category: Ints
    appeal: Floats
    quality: Floats
    age: Floats
    weight: Floats


def _skewed(rng: np.random.Generator, kinds: int, size: int) -> Ints:
    weight = 1.0 / np.arange(1, kinds + 1)
    return np.asarray(rng.choice(kinds, size, p=weight / weight.sum()), dtype=np.int64)


def _unit_rows(matrix: Floats) -> Floats:
    return np.asarray(matrix / np.linalg.norm(matrix, axis=-1, keepdims=True))


def _uniforms(ids: Ints, seed: int, count: int) -> Floats:
    """[len(ids), count] numbers in [0, 1) that depend on each id and the seed alone."""
    keys = splitmix64(ids.astype(np.uint64) ^ splitmix64(np.full(1, seed)))
    words = splitmix64(keys[:, None] + np.arange(count, dtype=np.uint64))
    return np.asarray((words >> np.uint64(11)).astype(np.float64) / 2.0**53)
