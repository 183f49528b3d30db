"""Figures that commits leave for the pages, one row per model. Tenants read their own; only workers write."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import tenancy.ids
from tenancy.rls import EnableRLS, TenantForeignKey


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("registry", "0006_device_profiles"),
        ("tenancy", "0006_proof_of_address"),
    ]

    operations = [
        migrations.CreateModel(
            name="ModelFigures",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "source",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(null=True),
                        help_text="control, its head, treatment, its head",
                        size=4,
                    ),
                ),
                ("figures", models.JSONField(help_text="selectors.figures.Figures")),
                (
                    "merged",
                    models.JSONField(help_text="selectors.merging.Merged: sums and histograms over all partitions"),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "model",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="registry.verticalmodel"
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
                "abstract": False,
            },
        ),
        EnableRLS("insights_modelfigures", app="SELECT"),
        TenantForeignKey("insights_modelfigures", "model_id", "registry_verticalmodel"),
    ]
