"""A limit on the estimated latency of serving; null: none."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("budgets", "0004_shares")]

    operations = [
        migrations.AddField(
            model_name="quota",
            name="serving_latency_us",
            field=models.BigIntegerField(
                blank=True,
                help_text="estimated p99 of one row in microseconds; empty: no limit",
                null=True,
                validators=[django.core.validators.MinValueValidator(0)],
            ),
        ),
    ]
