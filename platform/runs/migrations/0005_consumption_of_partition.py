"""The lineages that consumed a partition, from an index alone."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("runs", "0004_idle_seconds"), ("catalog", "0004_source_uri")]

    operations = [
        AddIndexConcurrently(
            model_name="consumption",
            index=models.Index(fields=["partition", "tenant", "lineage"], name="consumption_of_partition"),
        ),
        migrations.AlterField(
            model_name="consumption",
            name="partition",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="consumptions",
                to="catalog.partition",
            ),
        ),
    ]
