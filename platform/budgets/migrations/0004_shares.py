"""How a foundation model's cost is shared. It lives in the database because a tenant's share depends on rows of others,
which the tenants' process may not read: it gets its own share and the totals, nothing else."""

from django.db import migrations

from tenancy.rls import APP, PLATFORM, TENANT

# Largest remainder in units of 0.000001: floors first, then one unit each to the largest remainders until nothing is left.
SHARES = """
CREATE FUNCTION budgets_fm_shares(model uuid, since timestamptz, until timestamptz)
RETURNS TABLE (tenant_id uuid, rows bigint, rows_total bigint, cost_total numeric, amount numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH cost AS (
        SELECT coalesce(sum(u.amount), 0) AS total
        FROM public.budgets_usagerecord u
        WHERE u.foundation_model_id = model AND u.line IN ('fm_training', 'fm_scoring')
          AND u.created_at >= since AND u.created_at < until
    ), labelled AS (
        SELECT l.tenant_id, sum(l.rows)::bigint AS rows
        FROM public.registry_labelset l
        JOIN public.registry_snapshot s ON s.id = l.snapshot_id
        JOIN public.registry_foundationversion v ON v.id = s.foundation_version_id
        WHERE v.model_id = model AND l.created_at >= since AND l.created_at < until
        GROUP BY l.tenant_id
        HAVING sum(l.rows) > 0
    ), floors AS (
        SELECT n.tenant_id, n.rows, (sum(n.rows) OVER ())::bigint AS rows_total, c.total,
               (c.total * 1000000)::numeric(38, 0) AS units,
               div((c.total * 1000000)::numeric(38, 0) * n.rows, sum(n.rows) OVER ()) AS floor,
               mod((c.total * 1000000)::numeric(38, 0) * n.rows, sum(n.rows) OVER ()) AS remainder
        FROM labelled n CROSS JOIN cost c
    ), ranked AS (
        SELECT f.*, row_number() OVER (ORDER BY f.remainder DESC, f.tenant_id) AS place,
               f.units - sum(f.floor) OVER () AS left_over
        FROM floors f
    )
    SELECT r.tenant_id, r.rows, r.rows_total, r.total,
           ((r.floor + CASE WHEN r.place <= r.left_over THEN 1 ELSE 0 END) / 1000000)::numeric(18, 6)
    FROM ranked r
$$;
REVOKE ALL ON FUNCTION budgets_fm_shares(uuid, timestamptz, timestamptz) FROM PUBLIC;
"""

MY_SHARE = f"""
CREATE FUNCTION budgets_my_fm_share(model uuid, since timestamptz, until timestamptz)
RETURNS TABLE (tenant_id uuid, rows bigint, rows_total bigint, cost_total numeric, amount numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT * FROM public.budgets_fm_shares(model, since, until) s WHERE s.tenant_id = {TENANT}
$$;
REVOKE ALL ON FUNCTION budgets_my_fm_share(uuid, timestamptz, timestamptz) FROM PUBLIC;
"""


class Migration(migrations.Migration):
    dependencies = [("budgets", "0003_isolation")]

    operations = [
        migrations.RunSQL(SHARES, "DROP FUNCTION budgets_fm_shares(uuid, timestamptz, timestamptz);"),
        migrations.RunSQL(MY_SHARE, "DROP FUNCTION budgets_my_fm_share(uuid, timestamptz, timestamptz);"),
        migrations.RunSQL(
            f"GRANT EXECUTE ON FUNCTION budgets_fm_shares(uuid, timestamptz, timestamptz) TO {PLATFORM};"
            f"GRANT EXECUTE ON FUNCTION budgets_my_fm_share(uuid, timestamptz, timestamptz) TO {APP}, {PLATFORM};",
            migrations.RunSQL.noop,
        ),
    ]
