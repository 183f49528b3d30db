"""Triggers add each line to its month's total in its own transaction, what there is already is counted, and the shares of
a foundation model's cost come from the totals."""

import importlib

from django.db import migrations

# Largest remainder in units of 0.000001: floors first, then one unit each to the largest remainders until nothing is left.
# `since` and `until` are ends of months. A plpgsql function, whose plans a session keeps.
SHARES = """
CREATE OR REPLACE FUNCTION budgets_fm_shares(model uuid, since timestamptz, until timestamptz)
RETURNS TABLE (tenant_id uuid, rows bigint, rows_total bigint, cost_total numeric, amount numeric)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    cost numeric(18, 6);
    units numeric(38, 0);
BEGIN
    SELECT coalesce(sum(c.amount), 0) INTO cost FROM public.budgets_monthlycost c
    WHERE c.foundation_model_id = model AND c.line IN ('fm_training', 'fm_scoring')
      AND c.month >= since AND c.month < until;
    units := cost * 1000000;
    RETURN QUERY
    WITH labelled AS (
        SELECT l.tenant_id, sum(l.rows)::bigint AS rows, (sum(sum(l.rows)) OVER ())::bigint AS rows_total
        FROM public.budgets_monthlyrows l
        WHERE l.foundation_model_id = model AND l.month >= since AND l.month < until
        GROUP BY l.tenant_id
        HAVING sum(l.rows) > 0
    ), floors AS (
        SELECT n.*, div(units * n.rows, n.rows_total) AS floor, mod(units * n.rows, n.rows_total) AS remainder
        FROM labelled n
    ), ranked AS (
        SELECT f.*, row_number() OVER (ORDER BY f.remainder DESC, f.tenant_id) AS place,
               units - sum(f.floor) OVER () AS left_over
        FROM floors f
    )
    SELECT r.tenant_id, r.rows, r.rows_total, cost,
           ((r.floor + CASE WHEN r.place <= r.left_over THEN 1 ELSE 0 END) / 1000000)::numeric(18, 6)
    FROM ranked r;
END $$
"""

OLD_SHARES = importlib.import_module("budgets.migrations.0004_shares").SHARES.replace(
    "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"
)

BACKFILL = [
    "INSERT INTO budgets_monthlycost (id, created_at, tenant_id, model_id, foundation_model_id, line, month, amount)"
    " SELECT gen_random_uuid(), now(), tenant_id, model_id, foundation_model_id, line, month, amount"
    " FROM budgets_countedcost",
    "INSERT INTO budgets_monthlyrows (id, created_at, tenant_id, foundation_model_id, stream_id, month, rows)"
    " SELECT gen_random_uuid(), now(), tenant_id, foundation_model_id, stream_id, month, rows FROM budgets_countedrows",
]

# Row-level security would hide the rows from the owner of the tables, who counts them and checks their keys.
READ = (
    "budgets_monthlycost",
    "budgets_monthlyrows",
    "budgets_usagerecord",
    "catalog_partition",
    "registry_labelset",
    "runs_run",
)
OPEN = [f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY" for table in READ]
CLOSE = [f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY" for table in READ]


def trigger(table: str, function: str, condition: str = "") -> migrations.RunSQL:
    """Add up each new line of a table; it holds writers off until the totals are counted."""
    return migrations.RunSQL(
        f"CREATE TRIGGER add_up AFTER INSERT ON {table} FOR EACH ROW {condition} EXECUTE FUNCTION {function}()",
        f"DROP TRIGGER add_up ON {table}",
    )


class Migration(migrations.Migration):
    dependencies = [("budgets", "0006_months")]

    operations = [
        trigger(
            "budgets_usagerecord",
            "budgets_add_cost",
            "WHEN (NEW.tenant_id IS NOT NULL OR NEW.foundation_model_id IS NOT NULL)",
        ),
        trigger("registry_labelset", "budgets_add_rows"),
        migrations.RunSQL(
            [*OPEN, *BACKFILL, "SET CONSTRAINTS ALL IMMEDIATE", *CLOSE],
            ["TRUNCATE budgets_monthlycost, budgets_monthlyrows"],
        ),
        migrations.RunSQL(SHARES, OLD_SHARES),
    ]
