"""The default recipe: four advertising tenants of different domain, task and size in one synthetic world."""

from __future__ import annotations

from collections.abc import Mapping

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
    VerticalModel,
    VerticalSpec,
)

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
    optimizer=Optimizer(batch_size=256, dense_lr=1e-3, embedding_lr=0.8),
)


def tenant(
    traffic: Traffic,
    *,
    slug: str,
    name: str,
    domain: str,
    stream: str,
    model: str,
    label: str,
    backbone: str,
    seed: int,
) -> TenantRecipe:
    """Return a tenant whose stream carries the shared features and a private placement."""
    schema = StreamSchema(
        features=(*SHARED, Feature("placement", buckets=traffic.placements, hashed=False)),
        tasks=(Task(traffic.task, traffic.task, label),),
    )
    vertical = VerticalSpec(
        model=VerticalModel(features=SERVED, task=traffic.task, backbone=backbone),  # type: ignore[arg-type]
        optimizer=Optimizer(batch_size=128, dense_lr=2e-3, embedding_lr=0.4 if backbone == "deepfm" else 0.8),
        supervision=Supervision("strong"),
        seed=seed,
    )
    return TenantRecipe(slug, name, domain, stream, model, schema, vertical)


def recipe(
    *, name: str = "synthetic", seed: int = 0, periods: int = 16, warm_up: int = 4, scale: float = 1.0
) -> Recipe:
    """Return the recipe; ``scale`` multiplies every tenant's rows, ``seed`` fixes the world and all weights."""
    world = AdsWorld(seed=seed, period_seconds=6 * 3600, users=max(1_000, round(60_000 * scale)))
    traffic = {
        "northwind-shop": Traffic(1, "click", round(24_000 * scale), base_rate=0.12, reach=0.7, ads=200),
        "arcade-games": Traffic(2, "conversion", round(14_000 * scale), base_rate=0.18, reach=0.55, ads=120),
        "daily-courier": Traffic(3, "click", round(9_000 * scale), base_rate=0.10, reach=0.5, ads=80, ad_life=4.0),
        "blue-harbour": Traffic(4, "conversion", round(6_000 * scale), base_rate=0.15, reach=0.4, ads=60),
    }
    tenants = (
        tenant(
            traffic["northwind-shop"], slug="northwind-shop", name="Northwind Shop", domain="retail",
            stream="shop-impressions", model="shop-click", label="clicked", backbone="dcnv2", seed=seed,
        ),
        tenant(
            traffic["arcade-games"], slug="arcade-games", name="Arcade Games", domain="mobile games",
            stream="install-clicks", model="install-conversion", label="installed", backbone="dcnv2", seed=seed,
        ),
        tenant(
            traffic["daily-courier"], slug="daily-courier", name="Daily Courier", domain="news",
            stream="feed-impressions", model="feed-click", label="clicked", backbone="deepfm", seed=seed,
        ),
        tenant(
            traffic["blue-harbour"], slug="blue-harbour", name="Blue Harbour Travel", domain="travel",
            stream="offer-clicks", model="booking-conversion", label="booked", backbone="dcnv2", seed=seed,
        ),
    )  # fmt: skip

    def source(period: int) -> Mapping[str, Partition]:
        return {t.slug: world.partition(traffic[t.slug], t.schema, period) for t in tenants}

    return Recipe(
        name=name,
        title="Synthetic ads stream with drift: four tenants, clicks and conversions",
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
    whole = recipe(name="tiny", seed=seed, periods=4, warm_up=1, scale=0.08)
    tenants = whole.tenants[:3]
    kept = {t.slug for t in tenants}

    def source(period: int) -> Mapping[str, Partition]:
        return {slug: part for slug, part in whole.source(period).items() if slug in kept}

    return Recipe(
        name="tiny",
        title="Tiny synthetic stream, for tests: three tenants, four periods",
        tenants=tenants,
        foundation_name=whole.foundation_name,
        foundation=whole.foundation,
        period_seconds=whole.period_seconds,
        periods=whole.periods,
        warm_up=whole.warm_up,
        launch=whole.launch,
        source=source,
    )
