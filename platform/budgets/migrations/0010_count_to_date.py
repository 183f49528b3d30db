"""The trigger adds each line to its model's total too, what there is already is counted, and a tenant's own share of a
foundation model's cost is computed without everybody else's."""

import importlib

from django.db import migrations

from tenancy.rls import TENANT

OLD_ADD_COST = importlib.import_module("budgets.migrations.0006_months").ADD_COST
OLD_SHARE = importlib.import_module("budgets.migrations.0004_shares").MY_SHARE.split("REVOKE")[0]

TO_DATE = """
    IF NEW.tenant_id IS NOT NULL AND NEW.line IN ('training', 'measurement') THEN
        INSERT INTO budgets_costtodate AS held (id, created_at, tenant_id, model_id, training, measurement)
        SELECT gen_random_uuid(), now(), NEW.tenant_id, r.model_id,
               CASE NEW.line WHEN 'training' THEN NEW.amount ELSE 0 END,
               CASE NEW.line WHEN 'measurement' THEN NEW.amount ELSE 0 END
        FROM runs_run r WHERE r.id = NEW.run_id AND r.model_id IS NOT NULL
        ON CONFLICT (tenant_id, model_id) DO UPDATE SET
            training = held.training + EXCLUDED.training, measurement = held.measurement + EXCLUDED.measurement;
    END IF;
    RETURN NULL;
"""
ADD_COST = OLD_ADD_COST.replace("    RETURN NULL;\n", TO_DATE.lstrip("\n"))

BACKFILL = (
    "INSERT INTO budgets_costtodate (id, created_at, tenant_id, model_id, training, measurement)"
    " SELECT gen_random_uuid(), now(), tenant_id, model_id, training, measurement FROM budgets_countedtodate"
)

# Row-level security would hide the rows from the owner of the tables, who counts them and checks their keys.
READ = ("budgets_costtodate", "budgets_usagerecord", "runs_run", "registry_verticalmodel")
OPEN = [f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY" for table in READ]
CLOSE = [f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY" for table in READ]

# One row of `budgets_fm_shares` (0007), by the same rule: the floor of a tenant's part, in units of 0.000001, and one
# unit more for as many of the largest remainders as the floors leave units over, which is what all remainders sum to.
# Nobody else's part is made: the others' remainders are only added up and compared.
SHARE = f"""
CREATE FUNCTION budgets_my_fm_share(model uuid, since timestamptz, until timestamptz)
RETURNS TABLE (tenant_id uuid, rows bigint, rows_total bigint, cost_total numeric, amount numeric)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    me uuid := {TENANT};
    mine bigint;
    everyone bigint;
    cost numeric(18, 6);
    units numeric(38, 0);
    part numeric;
    remainder numeric;
    extra boolean := false;
BEGIN
    SELECT sum(l.rows) FILTER (WHERE l.tenant_id = me), sum(l.rows) INTO mine, everyone
    FROM public.budgets_monthlyrows l
    WHERE l.foundation_model_id = model AND l.month >= since AND l.month < until;
    IF mine IS NULL OR mine <= 0 THEN
        RETURN;
    END IF;
    SELECT coalesce(sum(c.amount), 0) INTO cost FROM public.budgets_monthlycost c
    WHERE c.foundation_model_id = model AND c.line IN ('fm_training', 'fm_scoring')
      AND c.month >= since AND c.month < until;
    units := cost * 1000000;
    part := div(units * mine, everyone);
    remainder := mod(units * mine, everyone);
    IF remainder > 0 THEN
        SELECT count(*) FILTER (WHERE o.left_over > remainder OR (o.left_over = remainder AND o.tenant_id < me))
               < sum(o.left_over) / everyone
        INTO extra FROM (
            SELECT l.tenant_id, mod(units * sum(l.rows), everyone) AS left_over FROM public.budgets_monthlyrows l
            WHERE l.foundation_model_id = model AND l.month >= since AND l.month < until
            GROUP BY l.tenant_id
        ) AS o;
    END IF;
    RETURN QUERY SELECT me, mine, everyone, cost, ((part + extra::int) / 1000000)::numeric(18, 6);
END $$
"""


def again(function: str) -> str:
    """Return a function's definition as one that takes the place of what there is."""
    return function.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


class Migration(migrations.Migration):
    dependencies = [("budgets", "0009_to_date")]

    operations = [
        migrations.RunSQL(  # until the totals are counted, no line is added
            "LOCK TABLE budgets_usagerecord IN SHARE ROW EXCLUSIVE MODE", migrations.RunSQL.noop
        ),
        migrations.RunSQL(again(ADD_COST), again(OLD_ADD_COST)),
        migrations.RunSQL([*OPEN, BACKFILL, "SET CONSTRAINTS ALL IMMEDIATE", *CLOSE], ["TRUNCATE budgets_costtodate"]),
        migrations.RunSQL(again(SHARE), again(OLD_SHARE)),
    ]
