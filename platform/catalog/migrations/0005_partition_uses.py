"""The number of a partition's consumers, kept, so that a page of partitions does not count thousands of lineages."""

import django.db.models.deletion
from django.db import migrations, models

import tenancy.ids
from tenancy.rls import EnableRLS, TenantForeignKey


class Migration(migrations.Migration):
    dependencies = [("catalog", "0004_source_uri"), ("tenancy", "0002_walls")]

    operations = [
        migrations.CreateModel(
            name="PartitionUse",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("trained", models.PositiveIntegerField()),
                (
                    "partition",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="use", to="catalog.partition"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenancy.tenant"
                    ),
                ),
            ],
            options={"abstract": False},
        ),
        EnableRLS("catalog_partitionuse", platform="SELECT, INSERT, UPDATE"),
        TenantForeignKey("catalog_partitionuse", "partition_id", "catalog_partition"),
    ]
