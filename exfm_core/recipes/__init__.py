"""Named complete specs with their data, by data set name. Torch-free."""

from collections.abc import Callable

from exfm_core.errors import SpecError
from exfm_core.recipes import movielens, synthetic
from exfm_core.recipes.recipe import Partition, Recipe, TenantRecipe

RECIPES: dict[str, Callable[..., Recipe]] = {
    "movielens-1m": movielens.recipe,
    "synthetic": synthetic.recipe,
    "tiny": synthetic.tiny,
}
"""Maker of each recipe, with the keyword ``seed``; making one may read raw data and raise DataError."""

__all__ = ["RECIPES", "Partition", "Recipe", "TenantRecipe", "load"]


def load(name: str, *, seed: int = 0) -> Recipe:
    """Return the recipe of that data set; SpecError if there is none, DataError if its data are missing or damaged.

    ``seed`` fixes all initial weights, and the data where they are synthetic.
    """
    if name not in RECIPES:
        raise SpecError(
            "recipe.unknown", f"There is no data set {name!r}.", f"Choose one of: {', '.join(sorted(RECIPES))}."
        )
    return RECIPES[name](seed=seed)
