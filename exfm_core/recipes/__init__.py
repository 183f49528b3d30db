"""Named complete specs with their data, by data set name. Torch-free."""

from collections.abc import Callable, Mapping
from typing import Any

from exfm_core.errors import SpecError
from exfm_core.recipes import globo, movielens, synthetic
from exfm_core.recipes.recipe import Partition, Recipe, TenantRecipe

RECIPES: dict[str, Callable[..., Recipe]] = {
    "movielens-1m": movielens.recipe,
    "synthetic": synthetic.recipe,
    "tiny": synthetic.tiny,
}
"""Maker of each recipe for the platform, with the keyword ``seed``; it may read raw data and raise DataError."""

STUDIES: dict[str, Callable[..., Recipe]] = {
    **RECIPES,
    "globo": globo.recipe,
    "movielens-16": movielens.sixteen,
}
"""Recipes that experiments play in one process: those of the platform, and larger ones whose tenants have several
models or quiet periods."""

__all__ = ["RECIPES", "STUDIES", "Partition", "Recipe", "TenantRecipe", "load", "load_study"]


def load(name: str, *, seed: int = 0) -> Recipe:
    """Return the platform's recipe of that data set; SpecError if there is none, DataError if its data are missing or
    damaged.

    ``seed`` fixes all initial weights, and the data where they are synthetic.
    """
    return _make(RECIPES, name, seed=seed)


def load_study(name: str, **options: Any) -> Recipe:
    """Return any recipe, those for experiments as well, with options of its own maker."""
    return _make(STUDIES, name, **options)


def _make(recipes: Mapping[str, Callable[..., Recipe]], name: str, **options: Any) -> Recipe:
    if name not in recipes:
        raise SpecError(
            "recipe.unknown", f"There is no data set {name!r}.", f"Choose one of: {', '.join(sorted(recipes))}."
        )
    return recipes[name](**options)
