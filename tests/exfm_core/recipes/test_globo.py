"""The Globo recipe on real rows of a few hours: complete, valid, and each tenant's rows its own."""

import os
from pathlib import Path

import pytest

from exfm_core.data.partitions import write_partition
from exfm_core.data.public.globo_ctr import TENANTS
from exfm_core.data.validate import validate_partition
from exfm_core.errors import SpecError
from exfm_core.recipes import globo, load_study
from exfm_core.spec import FoundationSpec, VerticalSpec
from tests.exfm_core.data.public.raw_globo import clicks, write_log

REAL = Path(os.environ.get("EXFM_DATA", "var/data"))
needs_real = pytest.mark.skipif(
    not any((REAL / place).exists() for place in ("globo_clicks", "clicks", "clicks.tar.gz")),
    reason="the real clicks are not on this machine (EXFM_DATA)",
)


@needs_real
def test_a_few_real_hours_play(tmp_path: Path) -> None:
    recipe = load_study("globo", hours=5, warm_up_hours=2)
    assert (recipe.periods, recipe.warm_up, recipe.period_seconds) == (20, 8, 900)
    assert recipe.partitions(8)["t0"][0] == recipe.launch
    share, rows = 0.0, 0
    for period in (0, 8, 19):
        parts = recipe.partitions(period)
        for tenant in recipe.tenants:
            if tenant.slug not in parts:
                continue
            start, end, table = parts[tenant.slug]
            write_partition(tmp_path / "p", table, tenant.schema)
            assert validate_partition(tmp_path / "p", tenant.schema, start, end).problems == ()
            regions = set(table.column("region").to_pylist())
            named = {region for region in regions if any(region in of for of in TENANTS.values())}
            assert regions <= set(TENANTS[tenant.slug]) if TENANTS[tenant.slug] else not named
            share += sum(table.column("clicked").to_pylist())
            rows += table.num_rows
    assert 0.19 < share / rows < 0.23
    for tenant in recipe.tenants:
        assert "user_id" not in tenant.vertical.model.features
        assert VerticalSpec.from_json(tenant.vertical.to_json()) == tenant.vertical
    assert FoundationSpec.from_json(recipe.foundation.to_json()) == recipe.foundation


def test_own_popularity_only_and_odd_periods(tmp_path: Path) -> None:
    write_log(tmp_path, clicks())
    recipe = globo.recipe(root=tmp_path, hours=12, warm_up_hours=2, user_share=1.0, shared_popularity=False)
    assert not any(name.startswith("all_") for name in recipe.tenants[0].vertical.model.features)
    assert any(feature.name.startswith("all_") for feature in recipe.foundation.model.features)
    with pytest.raises(SpecError, match="do not fill an hour"):
        globo.recipe(root=tmp_path, partition_seconds=1000)
