"""Monthly totals of cost and of labelled rows: pages and shares read them instead of every line.

Their work then grows with months and models, not with partitions. The views say what the totals must be; the next
migration counts them and lets triggers keep them.
"""

import django.db.models.deletion
from django.db import migrations, models

import tenancy.ids
from tenancy.rls import PLATFORM, EnableRLS, TenantForeignKey

MONTH = "(date_trunc('month', {} AT TIME ZONE 'UTC') AT TIME ZONE 'UTC')"

# What the platform lost on a tenant's run belongs to nobody's total.
COUNTED_COST = f"""
CREATE VIEW budgets_countedcost WITH (security_invoker = true) AS
SELECT u.tenant_id, CASE WHEN u.tenant_id IS NOT NULL THEN r.model_id END AS model_id, u.foundation_model_id, u.line,
       {MONTH.format("u.created_at")} AS month, sum(u.amount)::numeric(18, 6) AS amount
FROM budgets_usagerecord u JOIN runs_run r ON r.id = u.run_id
WHERE u.tenant_id IS NOT NULL OR u.foundation_model_id IS NOT NULL
GROUP BY 1, 2, 3, 4, 5
"""

COUNTED_ROWS = f"""
CREATE VIEW budgets_countedrows WITH (security_invoker = true) AS
SELECT l.tenant_id, v.model_id AS foundation_model_id, p.stream_id, {MONTH.format("l.created_at")} AS month,
       sum(l.rows)::bigint AS rows
FROM registry_labelset l
JOIN catalog_partition p ON p.id = l.partition_id
JOIN registry_snapshot s ON s.id = l.snapshot_id
JOIN registry_foundationversion v ON v.id = s.foundation_version_id
GROUP BY 1, 2, 3, 4
"""

ADD_COST = f"""
CREATE FUNCTION budgets_add_cost() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    INSERT INTO budgets_monthlycost AS held
        (id, created_at, tenant_id, model_id, foundation_model_id, line, month, amount)
    SELECT gen_random_uuid(), now(), NEW.tenant_id, CASE WHEN NEW.tenant_id IS NOT NULL THEN r.model_id END,
           NEW.foundation_model_id, NEW.line, {MONTH.format("NEW.created_at")}, NEW.amount
    FROM runs_run r WHERE r.id = NEW.run_id
    ON CONFLICT (tenant_id, model_id, foundation_model_id, line, month)
    DO UPDATE SET amount = held.amount + EXCLUDED.amount;
    RETURN NULL;
END $$
"""

ADD_ROWS = f"""
CREATE FUNCTION budgets_add_rows() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    INSERT INTO budgets_monthlyrows AS held (id, created_at, tenant_id, foundation_model_id, stream_id, month, rows)
    SELECT gen_random_uuid(), now(), NEW.tenant_id, v.model_id, p.stream_id, {MONTH.format("NEW.created_at")}, NEW.rows
    FROM catalog_partition p, registry_snapshot s JOIN registry_foundationversion v ON v.id = s.foundation_version_id
    WHERE p.id = NEW.partition_id AND s.id = NEW.snapshot_id
    ON CONFLICT (tenant_id, foundation_model_id, stream_id, month) DO UPDATE SET rows = held.rows + EXCLUDED.rows;
    RETURN NULL;
END $$
"""

KEPT = "SELECT, INSERT, UPDATE"


def owner(to: str, name: str, *, null: bool = False) -> models.ForeignKey:
    """Return a reference to what a total belongs to."""
    return models.ForeignKey(
        blank=null, null=null, on_delete=django.db.models.deletion.PROTECT, related_name=name, to=to
    )


class Migration(migrations.Migration):
    dependencies = [
        ("budgets", "0005_serving_latency"),
        ("catalog", "0003_isolation"),
        ("registry", "0003_isolation"),
        ("runs", "0003_isolation"),
    ]

    operations = [
        migrations.CreateModel(
            name="MonthlyCost",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "line",
                    models.CharField(
                        choices=[
                            ("training", "Training"),
                            ("measurement", "Measurement"),
                            ("fm_training", "Fm Training"),
                            ("fm_scoring", "Fm Scoring"),
                            ("fm_share", "Fm Share"),
                            ("lost", "Lost"),
                        ],
                        max_length=12,
                    ),
                ),
                ("month", models.DateTimeField(help_text="its first moment")),
                ("amount", models.DecimalField(decimal_places=6, max_digits=18)),
                ("foundation_model", owner("registry.foundationmodel", "monthly_costs", null=True)),
                ("model", owner("registry.verticalmodel", "monthly_costs", null=True)),
                ("tenant", owner("tenancy.tenant", "+", null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["tenant", "model", "foundation_model", "line", "month"],
                        name="monthly_cost_once",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="MonthlyRows",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("month", models.DateTimeField(help_text="its first moment")),
                ("rows", models.BigIntegerField()),
                ("foundation_model", owner("registry.foundationmodel", "monthly_rows")),
                ("stream", owner("catalog.stream", "monthly_rows")),
                ("tenant", owner("tenancy.tenant", "+")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["tenant", "foundation_model", "stream", "month"], name="monthly_rows_once"
                    )
                ],
            },
        ),
        migrations.RunSQL(ADD_COST, "DROP FUNCTION budgets_add_cost()"),
        migrations.RunSQL(ADD_ROWS, "DROP FUNCTION budgets_add_rows()"),
        migrations.RunSQL(COUNTED_COST, "DROP VIEW budgets_countedcost"),
        migrations.RunSQL(COUNTED_ROWS, "DROP VIEW budgets_countedrows"),
        migrations.RunSQL(
            f"GRANT SELECT ON budgets_countedcost, budgets_countedrows TO {PLATFORM}", migrations.RunSQL.noop
        ),
        EnableRLS("budgets_monthlycost", platform=KEPT, owner=("SELECT",)),
        EnableRLS("budgets_monthlyrows", platform=KEPT, owner=("SELECT",)),
        TenantForeignKey("budgets_monthlycost", "model_id", "registry_verticalmodel"),
        TenantForeignKey("budgets_monthlyrows", "stream_id", "catalog_stream"),
    ]
