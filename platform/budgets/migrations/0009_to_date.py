"""What each model has cost so far, and indexes by month: pages of money do the same work after two years as in the first
month. The view says what the totals must be; the next migration counts them and has the trigger keep them."""

import django.db.models.deletion
from django.db import migrations, models

import tenancy.ids
from tenancy.rls import PLATFORM, EnableRLS, TenantForeignKey

COUNTED = """
CREATE VIEW budgets_countedtodate WITH (security_invoker = true) AS
SELECT u.tenant_id, r.model_id,
       coalesce(sum(u.amount) FILTER (WHERE u.line = 'training'), 0)::numeric(18, 6) AS training,
       coalesce(sum(u.amount) FILTER (WHERE u.line = 'measurement'), 0)::numeric(18, 6) AS measurement
FROM budgets_usagerecord u JOIN runs_run r ON r.id = u.run_id
WHERE u.tenant_id IS NOT NULL AND r.model_id IS NOT NULL AND u.line IN ('training', 'measurement')
GROUP BY 1, 2
"""


class Migration(migrations.Migration):
    dependencies = [
        ("budgets", "0008_entries_plural"),
        ("registry", "0006_device_profiles"),
        ("tenancy", "0009_entries_plural"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="monthlycost",
            index=models.Index(fields=["tenant", "month"], name="monthly_cost_tenant_month"),
        ),
        migrations.AddIndex(
            model_name="monthlyrows",
            index=models.Index(fields=["foundation_model", "month", "tenant"], name="monthly_rows_teacher_month"),
        ),
        migrations.CreateModel(
            name="CostToDate",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("training", models.DecimalField(decimal_places=6, max_digits=18)),
                ("measurement", models.DecimalField(decimal_places=6, max_digits=18)),
                (
                    "model",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cost_to_date",
                        to="registry.verticalmodel",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenancy.tenant"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("tenant", "model"), name="cost_to_date_once")],
            },
        ),
        migrations.RunSQL(COUNTED, "DROP VIEW budgets_countedtodate"),
        migrations.RunSQL(f"GRANT SELECT ON budgets_countedtodate TO {PLATFORM}", migrations.RunSQL.noop),
        EnableRLS("budgets_costtodate", platform="SELECT, INSERT, UPDATE"),
        TenantForeignKey("budgets_costtodate", "model_id", "registry_verticalmodel"),
    ]
