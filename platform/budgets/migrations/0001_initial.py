"""Rates, budgets, quotas, usage, ledger and allocations."""

import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

import tenancy.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("registry", "0003_isolation"),
        ("runs", "0003_isolation"),
        ("tenancy", "0003_django_tables"),
    ]

    operations = [
        migrations.CreateModel(
            name="Budget",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("period_start", models.DateTimeField()),
                ("period_end", models.DateTimeField()),
                ("amount", models.DecimalField(decimal_places=6, max_digits=18)),
                ("spent", models.DecimalField(decimal_places=6, default=0, max_digits=18)),
                ("reserved", models.DecimalField(decimal_places=6, default=0, max_digits=18)),
                (
                    "action",
                    models.CharField(
                        choices=[("warn", "Warn"), ("hold", "Hold"), ("stop", "Stop")], default="stop", max_length=4
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenancy.tenant"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Quota",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("concurrent_runs", models.PositiveIntegerField(default=4)),
                ("models_limit", models.PositiveIntegerField(default=20)),
                ("storage_bytes", models.BigIntegerField(default=53687091200)),
                ("serving_parameters", models.BigIntegerField(default=50000000)),
                ("serving_flops", models.BigIntegerField(default=5000000, help_text="per row")),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenancy.tenant"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Rate",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("flavor", models.CharField(max_length=20)),
                ("per_device_second", models.DecimalField(decimal_places=9, max_digits=18)),
                ("effective_from", models.DateTimeField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("flavor", "effective_from"), name="rate_flavor_from")],
            },
        ),
        migrations.CreateModel(
            name="UsageRecord",
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
                ("flavor", models.CharField(max_length=20)),
                ("device_seconds", models.DecimalField(decimal_places=6, max_digits=18)),
                ("rate", models.DecimalField(decimal_places=9, max_digits=18)),
                ("amount", models.DecimalField(decimal_places=6, max_digits=18)),
                (
                    "attempt",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="usage", to="runs.attempt"
                    ),
                ),
                (
                    "claim",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="usage",
                        to="runs.workclaim",
                    ),
                ),
                (
                    "foundation_model",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="usage",
                        to="registry.foundationmodel",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="usage", to="runs.run"),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenancy.tenant",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="LedgerEntry",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("reserve", "Reserve"),
                            ("settle", "Settle"),
                            ("release", "Release"),
                            ("allocate", "Allocate"),
                            ("correct", "Correct"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "line",
                    models.CharField(
                        blank=True,
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
                ("amount", models.DecimalField(decimal_places=6, max_digits=18)),
                ("memo", models.CharField(blank=True, max_length=200)),
                (
                    "budget",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="budgets.budget",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ledger",
                        to="runs.run",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenancy.tenant",
                    ),
                ),
                (
                    "usage",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ledger",
                        to="budgets.usagerecord",
                    ),
                ),
            ],
            options={
                "ordering": ["created_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="Allocation",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("period_start", models.DateTimeField()),
                ("period_end", models.DateTimeField()),
                ("rows", models.BigIntegerField()),
                ("rows_total", models.BigIntegerField()),
                ("cost_total", models.DecimalField(decimal_places=6, max_digits=18)),
                ("amount", models.DecimalField(decimal_places=6, max_digits=18)),
                (
                    "foundation_model",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="allocations",
                        to="registry.foundationmodel",
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
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "foundation_model", "period_start"), name="allocation_once"
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="budget",
            constraint=models.UniqueConstraint(fields=("tenant", "period_start"), name="budget_tenant_period"),
        ),
        migrations.AddConstraint(
            model_name="budget",
            constraint=models.CheckConstraint(
                condition=models.Q(("spent__gte", 0), ("reserved__gte", 0)), name="budget_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="budget",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "amount__gte",
                        django.db.models.expressions.CombinedExpression(models.F("spent"), "+", models.F("reserved")),
                    )
                ),
                name="budget_never_exceeded",
            ),
        ),
        migrations.AddConstraint(
            model_name="quota",
            constraint=models.UniqueConstraint(fields=("tenant",), name="quota_tenant"),
        ),
        migrations.AddConstraint(
            model_name="usagerecord",
            constraint=models.UniqueConstraint(
                condition=models.Q(("claim__isnull", False)), fields=("claim", "line"), name="usage_once_per_claim"
            ),
        ),
    ]
