"""Recipes are complete: specs bind, data pass validation, intervals fit together."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from exfm_core.data.partitions import write_partition
from exfm_core.data.validate import validate_partition
from exfm_core.errors import SpecError
from exfm_core.recipes import RECIPES, load
from exfm_core.spec import FoundationSpec, StreamSchema, VerticalSpec


@pytest.mark.parametrize("name", ["synthetic", "tiny"])
def test_every_partition_passes_validation(name: str, tmp_path: Path) -> None:
    recipe = load(name)
    assert len(recipe.tenants) >= 3
    assert len({tenant.domain for tenant in recipe.tenants}) == len(recipe.tenants)
    last = None
    for period in range(recipe.periods):
        parts = recipe.partitions(period)
        assert set(parts) == {tenant.slug for tenant in recipe.tenants}
        (interval,) = {(start, end) for start, end, _ in parts.values()}
        assert last is None or interval[0] == last
        last = interval[1]
        assert last.timestamp() % recipe.period_seconds == 0
        if period == recipe.warm_up:
            assert interval[0] == recipe.launch
        for tenant in recipe.tenants if period in (0, recipe.warm_up) else ():
            write_partition(tmp_path / "p", parts[tenant.slug][2], tenant.schema)
            report = validate_partition(tmp_path / "p", tenant.schema, *interval)
            assert report.problems == () and all(report.positives.values())


@pytest.mark.parametrize("name", ["synthetic", "tiny"])
def test_specs_survive_json(name: str) -> None:
    recipe = load(name)
    assert FoundationSpec.from_json(recipe.foundation.to_json()) == recipe.foundation
    for tenant in recipe.tenants:
        assert StreamSchema.from_json(tenant.schema.to_json()) == tenant.schema
        assert VerticalSpec.from_json(tenant.vertical.to_json()) == tenant.vertical


def test_unknown_names_are_answered_with_the_known_ones() -> None:
    with pytest.raises(SpecError) as caught:
        load("netflix")
    assert all(name in caught.value.mend for name in RECIPES)


def test_periods_outside_the_recipe_are_refused() -> None:
    recipe = load("tiny")
    with pytest.raises(SpecError, match="no period 4"):
        recipe.partitions(recipe.periods)
    assert recipe.launch - recipe.partitions(0)["northwind-shop"][0] == timedelta(seconds=recipe.period_seconds)


def test_recipes_never_load_torch() -> None:
    code = "import sys; from exfm_core.recipes import load; load('tiny').partitions(0); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
