"""The default recipe: four advertising tenants of different domain, task and size in one synthetic world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from exfm_core.data import synthetic
from exfm_core.data.synthetic import AdsWorld, Traffic
from exfm_core.recipes.recipe import Partition, Recipe, TenantRecipe
from exfm_core.spec import (
    Feature,
    FoundationModel,
    FoundationSpec,
    Optimizer,
    StreamSchema,
    Supervision,
    Task,
    VerticalBackbone,
    VerticalModel,
    VerticalSpec,
)
from exfm_core.spec.supervision import Preset

SHARED = (
    Feature("user_id", buckets=65_536, catalogue="user_id", privileged=True),
    Feature("age_group", buckets=synthetic.AGE_GROUPS, hashed=False, catalogue="age_group"),
    Feature("region", buckets=synthetic.REGIONS, hashed=False, catalogue="region"),
    Feature("device", buckets=synthetic.DEVICES, hashed=False, catalogue="device"),
    Feature("segment", buckets=synthetic.SEGMENTS, hashed=False, catalogue="segment"),
    Feature(
        "interests",
        kind="sequence",
        buckets=synthetic.CATEGORIES,
        hashed=False,
        max_length=synthetic.INTERESTS,
        catalogue="interests",
    ),
    Feature("ad_id", buckets=4_000, catalogue="ad_id"),
    Feature("advertiser_id", buckets=synthetic.ADVERTISERS, hashed=False, catalogue="advertiser_id"),
    Feature("category", buckets=synthetic.CATEGORIES, hashed=False, catalogue="category"),
    Feature("hour", buckets=24, hashed=False, catalogue="hour"),
    Feature("ad_age", kind="dense", catalogue="ad_age"),
    Feature("user_activity", kind="dense", catalogue="user_activity"),
)
"""The feature catalogue. ``user_id`` is privileged: only the foundation model, which sees all tenants, may read it."""

SERVED = (
    "age_group",
    "region",
    "device",
    "segment",
    "interests",
    "ad_id",
    "advertiser_id",
    "category",
    "placement",
    "hour",
    "ad_age",
    "user_activity",
)
"""What a vertical model of this recipe reads; ``placement`` is private to its tenant."""

FOUNDATION = FoundationSpec(
    model=FoundationModel(
        features=tuple(Feature(f.name, f.kind, f.buckets, f.hashed, f.max_length, privileged=False) for f in SHARED),
        task_kinds=("click", "conversion"),
        embedding_dim=16,
        mlp=(128, 64),
    ),
    optimizer=Optimizer(batch_size=256, dense_lr=1e-3, embedding_lr=1.6),
)


@dataclass(frozen=True, slots=True)
class Team:
    """A tenant of this recipe: its names, its part of the world, and what it chose for its model."""

    slug: str
    name: str
    domain: str
    stream: str
    model: str
    label: str
    traffic: Traffic
    backbone: VerticalBackbone = "dcnv2"
    preset: Preset = "strong"
    embedding_lr: float = 1.6

    def scaled(self, scale: float) -> Team:
        """Return the same team with ``scale`` times the rows."""
        return replace(self, traffic=replace(self.traffic, rows=round(self.traffic.rows * scale)))


TEAMS = (
    Team(
        "northwind-shop", "Northwind Shop", "retail", "shop-impressions", "shop-click", "clicked",
        Traffic(1, "click", 24_000, base_rate=0.12, reach=0.7, ads=200),
    ),
    Team(
        "arcade-games", "Arcade Games", "mobile games", "install-clicks", "install-conversion", "installed",
        Traffic(2, "conversion", 14_000, base_rate=0.18, reach=0.55, ads=120),
    ),
    Team(
        "daily-courier", "Daily Courier", "news", "feed-impressions", "feed-click", "clicked",
        Traffic(3, "click", 9_000, base_rate=0.10, reach=0.5, ads=80, ad_life=4.0),
        backbone="deepfm", preset="safe", embedding_lr=0.4,
    ),
    Team(
        "blue-harbour", "Blue Harbour Travel", "travel", "offer-clicks", "booking-conversion", "booked",
        Traffic(4, "conversion", 6_000, base_rate=0.15, reach=0.4, ads=60),
        preset="safe",
    ),
)  # fmt: skip


def tenant(team: Team, seed: int) -> TenantRecipe:
    """Return a tenant whose stream carries the shared features and a private placement."""
    task = team.traffic.task
    schema = StreamSchema(
        features=(*SHARED, Feature("placement", buckets=team.traffic.placements, hashed=False)),
        tasks=(Task(task, task, team.label),),
    )
    vertical = VerticalSpec(
        model=VerticalModel(features=SERVED, tasks=(task,), backbone=team.backbone),
        optimizer=Optimizer(batch_size=128, dense_lr=2e-3, embedding_lr=team.embedding_lr),
        supervision=Supervision(team.preset),
        seed=seed,
    )
    return TenantRecipe(team.slug, team.name, team.domain, team.stream, team.model, schema, vertical)


def recipe(
    *,
    name: str = "synthetic",
    title: str = "Synthetic ads stream with drift: four tenants, clicks and conversions",
    seed: int = 0,
    periods: int = 16,
    warm_up: int = 4,
    scale: float = 1.0,
    teams: tuple[Team, ...] = TEAMS,
) -> Recipe:
    """Return the recipe; ``scale`` multiplies every tenant's rows, ``seed`` fixes the world and all weights."""
    world = AdsWorld(seed=seed, period_seconds=6 * 3600, users=max(1_000, round(60_000 * scale)))
    scaled = tuple(team.scaled(scale) for team in teams)
    tenants = tuple(tenant(team, seed) for team in scaled)

    def source(period: int) -> Mapping[str, Partition]:
        return {
            made.slug: world.partition(team.traffic, made.schema, period)
            for team, made in zip(scaled, tenants, strict=True)
        }

    return Recipe(
        name=name,
        title=title,
        tenants=tenants,
        foundation_name=f"ads-{name}",
        foundation=FoundationSpec(FOUNDATION.model, FOUNDATION.optimizer, seed=seed),
        period_seconds=world.period_seconds,
        periods=periods,
        warm_up=warm_up,
        launch=world.interval(warm_up)[0],
        source=source,
    )


def tiny(*, seed: int = 0) -> Recipe:
    """Three tenants, four periods, a few hundred rows each: seconds, for tests."""
    title = "Tiny synthetic stream, for tests: three tenants, four periods"
    return recipe(name="tiny", title=title, seed=seed, periods=4, warm_up=1, scale=0.08, teams=TEAMS[:3])
