"""Webhooks may be told that an export is finished."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0002_isolation"),
    ]

    operations = [
        migrations.AlterField(
            model_name="webhook",
            name="event_types",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("run.succeeded", "Run Succeeded"),
                        ("run.failed", "Run Failed"),
                        ("run.cancelled", "Run Cancelled"),
                        ("partition.sealed", "Partition Sealed"),
                        ("partition.rejected", "Partition Rejected"),
                        ("snapshot.published", "Snapshot Published"),
                        ("budget.threshold", "Budget Threshold"),
                        ("export.finished", "Export Finished"),
                        ("webhook.test", "Test"),
                    ],
                    max_length=40,
                ),
                size=None,
            ),
        ),
        migrations.AlterField(
            model_name="webhookevent",
            name="type",
            field=models.CharField(
                choices=[
                    ("run.succeeded", "Run Succeeded"),
                    ("run.failed", "Run Failed"),
                    ("run.cancelled", "Run Cancelled"),
                    ("partition.sealed", "Partition Sealed"),
                    ("partition.rejected", "Partition Rejected"),
                    ("snapshot.published", "Snapshot Published"),
                    ("budget.threshold", "Budget Threshold"),
                    ("export.finished", "Export Finished"),
                    ("webhook.test", "Test"),
                ],
                max_length=40,
            ),
        ),
    ]
