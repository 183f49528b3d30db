"""Real input: the Globo.com click log as region groups, each a tenant that predicts which article is clicked.

News: what is read changes within the hour, so the foundation model learns and publishes every quarter of an hour.
Six days, of which the first two train it alone. Negatives are sampled (data/public/globo_ctr.py), which sets the base
rate: NE here compares with nothing outside. Regions share one domain: read lifts beside the pooled reference.
"""

from __future__ import annotations

from pathlib import Path

from exfm_core.data.public import globo
from exfm_core.data.public.globo_ctr import TENANTS, Impressions, Sampling
from exfm_core.errors import SpecError
from exfm_core.recipes.movielens import data_root
from exfm_core.recipes.recipe import Recipe, TenantRecipe
from exfm_core.spec import (
    Feature,
    FoundationModel,
    FoundationSpec,
    Optimizer,
    StreamSchema,
    Supervision,
    VerticalModel,
    VerticalSpec,
)

HOUR = 3600


def recipe(
    *,
    root: Path | None = None,
    seed: int = 0,
    hours: int = 144,
    warm_up_hours: int = 48,
    partition_seconds: int = 900,
    user_share: float = 0.35,
    shared_popularity: bool = True,
) -> Recipe:
    """Read the first ``hours`` of the log below ``root`` and return the recipe. DataError if it is unreadable.

    ``shared_popularity`` False leaves the vertical models their own tenant's popularity only; the foundation model
    keeps everyone's. ``seed`` fixes weights; users and negatives are drawn once and for all.
    """
    if HOUR % partition_seconds:
        raise SpecError("recipe.periods", f"{partition_seconds} s do not fill an hour.", "Use 900, 1800 or 3600.")
    folder = root or data_root()
    impressions = Impressions(
        globo.read(folder, hours=hours),
        Sampling(user_share=user_share),
        partition_seconds=partition_seconds,
    )
    served = tuple(
        feature.name
        for feature in impressions.schema.features
        if shared_popularity or not feature.name.startswith("all_")
    )
    warm_up = warm_up_hours * HOUR // partition_seconds
    return Recipe(
        name="globo",
        title=f"Globo.com clicks, first {hours} hours: region groups that predict which article is read",
        tenants=tuple(tenant(slug, impressions.schema, served, seed) for slug in TENANTS),
        foundation_name="news",
        foundation=FoundationSpec(
            FoundationModel(
                features=tuple(
                    Feature(f.name, f.kind, f.buckets, f.hashed, f.max_length) for f in impressions.schema.features
                ),
                task_kinds=("click",),
                embedding_dim=8,
                mlp=(64, 32),
            ),
            Optimizer(batch_size=256, dense_lr=4e-3, embedding_lr=0.2),
            seed=seed,
        ),
        period_seconds=partition_seconds,
        periods=impressions.periods,
        warm_up=warm_up,
        launch=impressions.interval(warm_up)[0],
        source=impressions.partitions,
    )


def tenant(slug: str, schema: StreamSchema, served: tuple[str, ...], seed: int) -> TenantRecipe:
    """Return one region group's team."""
    return TenantRecipe(
        slug=slug,
        name=f"Newsroom {slug.upper()}",
        domain=f"news, region group {slug[1:]}",
        stream_name="impressions",
        model_name=f"{slug}-click",
        schema=schema,
        vertical=VerticalSpec(
            VerticalModel(features=served, tasks=("click",)),
            Optimizer(batch_size=32, dense_lr=4e-3, embedding_lr=0.1),
            Supervision("strong"),
            seed=seed,
        ),
    )
