"""The main job, small, through the public API and real processes; then what must be true of the record it left."""

from decimal import Decimal
from typing import Any

import pytest

from tests.kit.platform import Running

pytestmark = pytest.mark.flow


@pytest.fixture(scope="module")
def result(filled_platform: Running) -> dict[str, Any]:
    return filled_platform.scenario.result()


def rows(running: Running, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """Read the database as the platform's role."""
    with running.connect() as connection:
        return connection.execute(query, values).fetchall()


def test_every_team_has_a_lift_with_its_interval(filled_platform: Running, result: dict[str, Any]) -> None:
    recipe = filled_platform.scenario.recipe
    assert {row["tenant"] for row in result["tenants"]} == {tenant.slug for tenant in recipe.tenants}
    for row in result["tenants"]:
        lift = row["lift"]
        assert lift["low"] <= lift["value"] <= lift["high"]
        assert row["ne_treatment"] > 0 and row["ne_control"] > 0
        assert lift["value"] == pytest.approx(
            100 * (row["ne_control"] - row["ne_treatment"]) / row["ne_control"], abs=1e-6
        )
        assert row["coverage"] == 1.0, "every VM starts after the warm-up, so a snapshot could label every row"


def test_each_lineage_consumed_each_partition_once_in_time_order(filled_platform: Running) -> None:
    recipe = filled_platform.scenario.recipe
    counts = rows(
        filled_platform,
        "SELECT l.arm, count(*), count(DISTINCT c.partition_id) FROM runs_consumption c"
        " JOIN registry_lineage l ON l.id = c.lineage_id LEFT JOIN tenancy_tenant t ON t.id = l.tenant_id"
        " LEFT JOIN registry_foundationversion v ON v.id = l.foundation_version_id"
        " WHERE t.slug = ANY(%s) OR v.model_id = %s GROUP BY l.id, l.arm",
        [tenant.slug for tenant in recipe.tenants],
        filled_platform.scenario.foundation,
    )
    trained = recipe.periods - recipe.warm_up
    per_arm = {arm: sorted((n, distinct) for a, n, distinct in counts if a == arm) for arm, _, _ in counts}
    assert per_arm["control"] == per_arm["treatment"] == [(trained, trained)] * len(recipe.tenants)
    assert per_arm["fm"] == [(recipe.periods * len(recipe.tenants),) * 2]
    disorder = rows(
        filled_platform,
        "SELECT 1 FROM ("
        "  SELECT p.start, lag(p.start) OVER (PARTITION BY c.lineage_id, p.stream_id ORDER BY c.id) AS before"
        "  FROM runs_consumption c JOIN catalog_partition p ON p.id = c.partition_id"
        ") t WHERE before >= start",
    )
    assert disorder == []


def test_no_label_came_from_the_future(filled_platform: Running) -> None:
    labels = rows(
        filled_platform,
        "SELECT s.watermark, p.start, s.published_at FROM registry_labelset l"
        " JOIN registry_snapshot s ON s.id = l.snapshot_id JOIN catalog_partition p ON p.id = l.partition_id",
    )
    assert labels
    assert all(watermark <= start and published is not None for watermark, start, published in labels)


def test_money_adds_up(filled_platform: Running, result: dict[str, Any]) -> None:
    shares = sum(Decimal(row["fm_share"]) for row in result["tenants"])
    fm = result["fm"]
    assert shares == Decimal(fm["allocated"]) > 0
    assert Decimal(fm["training"]) + Decimal(fm["scoring"]) == shares + Decimal(fm["unallocated"])
    budgets = rows(
        filled_platform,
        "SELECT t.slug, b.amount, b.spent, b.reserved, coalesce(sum(l.amount) FILTER (WHERE l.kind = 'settle'), 0)"
        " FROM budgets_budget b JOIN tenancy_tenant t ON t.id = b.tenant_id"
        " LEFT JOIN budgets_ledgerentry l ON l.budget_id = b.id GROUP BY t.slug, b.id",
    )
    for slug, amount, spent, reserved, settled in budgets:
        assert spent + reserved <= amount, slug
        assert spent == settled, slug
    charged = {slug for slug, _, spent, _, _ in budgets if spent > 0}
    assert charged >= {tenant.slug for tenant in filled_platform.scenario.recipe.tenants}
    charged_twice = rows(
        filled_platform,
        "SELECT claim_id, line FROM budgets_usagerecord WHERE claim_id IS NOT NULL"
        " GROUP BY claim_id, line HAVING count(*) > 1",
    )
    assert charged_twice == []


def test_a_second_run_reuses_what_exists(filled_platform: Running, result: dict[str, Any]) -> None:
    tables = (
        "catalog_partition",
        "runs_consumption",
        "registry_labelset",
        "registry_snapshot",
        "registry_verticalmodel",
    )
    counting = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in tables)
    before = rows(filled_platform, counting)
    again = filled_platform.again()
    again.set_up()
    again.run()
    assert rows(filled_platform, counting) == before
    assert [row["lift"] for row in again.result()["tenants"]] == [row["lift"] for row in result["tenants"]]
